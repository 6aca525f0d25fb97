-- The streams with running clocks of cases, page by page; the term of an entitlement follows from no calendar.
--   $1 uuid after, $2 bigint at most so many
SELECT DISTINCT stream FROM ledger.timetable WHERE stream > $1 AND clock <> 'entitlement term' ORDER BY stream LIMIT $2
