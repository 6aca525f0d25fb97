-- Takes off what no longer runs. Until when a booking is held follows from its own events, not from the clocks that others list.
--   $1 uuid[] streams of which nothing does, $2 uuid[] streams of which only what outlives a case does, $3 text what its clocks begin with
DELETE FROM ledger.timetable
WHERE clock <> 'booking held' AND (stream = ANY ($1) OR (stream = ANY ($2) AND NOT starts_with(clock, $3)))
