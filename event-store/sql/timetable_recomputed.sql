-- All running clocks were worked out with these bank holidays and rules.
--   $1 text their version
UPDATE ledger.timetable_head SET calendar_version = $1, recomputed = recomputed + 1
