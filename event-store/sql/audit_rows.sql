-- The log after a position, in order, whole and as it is stored, a page at a time (audit_rows_next.sql).
-- Parameters: $1 bigint: the position
DECLARE audit_rows NO SCROLL CURSOR FOR
SELECT "position", service, service_position, event_id, command_id, client, aggregate_type, aggregate_id, sequence,
       event_type, event_version, payload::text AS payload, metadata::text AS metadata, recorded_at, occurred_at
FROM ledger.events
WHERE "position" > $1
ORDER BY "position"
