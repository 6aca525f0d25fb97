-- Counts one more collection that was not made.
-- $1 bigint: the generation; $2 text: the contractor; $3 text: the round; $4 date: the day; $5 text: what was not collected
INSERT INTO reporting.collection_rows (generation, contractor, round, day, what, scheduled, not_collected)
VALUES ($1, $2, $3, $4, $5, 0, 1)
ON CONFLICT (generation, contractor, round, day, what) DO UPDATE SET not_collected = collection_rows.not_collected + 1
