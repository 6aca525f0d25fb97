-- Where the generation being built is, if any; nobody else moves it until this transaction ends.
-- {schema}: the projection's schema
-- $1 text: the projection's name
SELECT generation, position, event_id, recorded_at, traceless
FROM {schema}.rebuilds
WHERE projection = $1
FOR UPDATE
