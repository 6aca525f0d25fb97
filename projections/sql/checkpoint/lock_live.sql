-- Where the live generation of a projection is; nobody else moves it until this transaction ends.
-- {schema}: the projection's schema
-- $1 text: the projection's name
SELECT generation, position, event_id, recorded_at, traceless
FROM {schema}.checkpoints
WHERE projection = $1
FOR UPDATE
