-- Writes how many collections a round has, by kind: it takes the place of what was said before.
-- $1 bigint: the generation; $2 text: the contractor; $3 text: the round; $4 date: the day; $5 text[]: kinds; $6 bigint[]: how many of each
WITH said AS (
    INSERT INTO reporting.collection_rows (generation, contractor, round, day, what, scheduled, not_collected)
    SELECT $1, $2, $3, $4, given.what, given.scheduled, 0
    FROM unnest($5::text[], $6::bigint[]) AS given (what, scheduled)
    ON CONFLICT (generation, contractor, round, day, what) DO UPDATE SET scheduled = excluded.scheduled
)
UPDATE reporting.collection_rows
SET scheduled = 0
WHERE generation = $1 AND contractor = $2 AND round = $3 AND day = $4 AND what <> ALL ($5::text[])
