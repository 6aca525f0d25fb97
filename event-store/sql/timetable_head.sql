-- How far the timetable is, and the log.
SELECT held.position, held.calendar_version, held.recomputed, head.position AS log_position
FROM ledger.timetable_head AS held, (SELECT position FROM ledger.head ORDER BY position DESC LIMIT 1) AS head
