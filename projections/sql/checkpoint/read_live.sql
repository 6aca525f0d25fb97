-- Where the live generation of a projection is.
-- {schema}: the projection's schema
-- $1 text: the projection's name
SELECT generation, position, event_id, recorded_at, traceless
FROM {schema}.checkpoints
WHERE projection = $1
