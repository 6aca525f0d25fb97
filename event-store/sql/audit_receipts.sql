-- The recorded result of every command, by position; of several at one the one with events first. A page at a time
-- (audit_receipts_next.sql).
-- Parameters: none
DECLARE audit_receipts NO SCROLL CURSOR FOR
SELECT client, command_id, status = 'accepted' AS accepted, aggregate_id, version, "position", event_ids, recorded_at
FROM ledger.commands
ORDER BY "position", event_ids = '{}'
