-- Makes the generation that was built the live one.
-- {schema}: the projection's schema
-- $1 text: the projection's name
WITH built AS (
    DELETE FROM {schema}.rebuilds WHERE projection = $1
    RETURNING generation, position, event_id, recorded_at, traceless
)
UPDATE {schema}.checkpoints AS live
SET generation = built.generation, position = built.position, event_id = built.event_id, recorded_at = built.recorded_at,
    traceless = built.traceless
FROM built
WHERE live.projection = $1
