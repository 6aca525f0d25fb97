-- The streams with running clocks of cases, page by page; the term of an entitlement, and the time for which a booking is held,
-- follow from no calendar.
--   $1 uuid after, $2 bigint at most so many
SELECT DISTINCT stream FROM ledger.timetable WHERE stream > $1 AND clock NOT IN ('entitlement term', 'booking held') ORDER BY stream LIMIT $2
