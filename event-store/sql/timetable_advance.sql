-- The timetable has taken in the log up to here; none where it is elsewhere by now.
--   $1 bigint up to, $2 bigint where it was
UPDATE ledger.timetable_head SET position = $1 WHERE position = $2 RETURNING position
