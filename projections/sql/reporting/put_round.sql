-- Counts one more event of a round, and what it says of how far the round is.
-- $1 bigint: the generation; $2 text: the contractor; $3 text: the round; $4 date: the day; $5 text: how far, or null: as before
INSERT INTO reporting.round_rows (generation, contractor, round, day, status, events)
VALUES ($1, $2, $3, $4, $5, 1)
ON CONFLICT (generation, contractor, round, day) DO UPDATE
SET status = coalesce(excluded.status, round_rows.status), events = round_rows.events + 1
