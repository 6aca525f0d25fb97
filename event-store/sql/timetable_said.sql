-- It was said, or it is to be said later. The clock may run on: its row stays, so that it is found when the calendar changes.
--   $1 uuid stream, $2 text clock, $3 text mark, $4 text due day, $5 timestamptz when to say it, or null where it was said
UPDATE ledger.timetable SET at = $5 WHERE stream = $1 AND clock = $2 AND mark = $3 AND due = $4
