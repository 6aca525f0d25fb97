-- Where the generation being built is, if any.
-- {schema}: the projection's schema
-- $1 text: the projection's name
SELECT generation, position, event_id, recorded_at, traceless
FROM {schema}.rebuilds
WHERE projection = $1
