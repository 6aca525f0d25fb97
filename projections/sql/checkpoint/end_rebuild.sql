-- Gives up the generation that was being built.
-- {schema}: the projection's schema
-- $1 text: the projection's name
-- $2 bigint: the generation
DELETE FROM {schema}.rebuilds
WHERE projection = $1 AND generation = $2
