-- It was said.
--   $1 uuid stream, $2 text clock, $3 text mark, $4 text due day
DELETE FROM ledger.timetable WHERE stream = $1 AND clock = $2 AND mark = $3 AND due = $4
