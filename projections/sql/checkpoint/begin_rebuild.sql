-- Begins to build a generation that nobody has used. Where one is being built already, this one takes its place; whoever
-- builds that one finds out at its next batch.
-- {schema}: the projection's schema
-- $1 text: the projection's name
INSERT INTO {schema}.rebuilds (projection, generation)
SELECT live.projection, live.generation + 1
FROM {schema}.checkpoints AS live
WHERE live.projection = $1
ON CONFLICT (projection) DO UPDATE
SET generation = greatest(rebuilds.generation, excluded.generation - 1) + 1,
    position = 0, event_id = NULL, recorded_at = NULL, traceless = 0
RETURNING generation
