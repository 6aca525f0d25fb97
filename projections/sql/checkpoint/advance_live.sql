-- Moves the live generation of a projection on.
-- {schema}: the projection's schema
-- $1 text: the projection's name
-- $2 bigint: the position of the last event applied
-- $3 uuid: its id
-- $4 timestamptz: when it was recorded
-- $5 bigint: how many events, since the first, left no trace
UPDATE {schema}.checkpoints
SET position = $2, event_id = $3, recorded_at = $4, traceless = $5
WHERE projection = $1
