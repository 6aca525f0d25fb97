-- The end of the log, found by its position: see migration 9.
-- Parameters: none
SELECT "position", recorded_at FROM ledger.head ORDER BY "position" DESC LIMIT 1
