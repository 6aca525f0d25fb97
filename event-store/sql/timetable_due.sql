-- What is true by now, the earliest first.
--   $1 timestamptz now, $2 bigint at most so many
SELECT stream, clock, mark, due, listed_at, at FROM ledger.timetable WHERE at <= $1 ORDER BY at, stream, clock, mark LIMIT $2
