-- The streams with running clocks, page by page.
--   $1 uuid after, $2 bigint at most so many
SELECT DISTINCT stream FROM ledger.timetable WHERE stream > $1 ORDER BY stream LIMIT $2
