-- The end of the log.
-- Parameters: none
SELECT "position", recorded_at FROM ledger.head
