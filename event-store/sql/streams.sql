-- The events of several streams, whole, ordered by stream and sequence.
-- Parameters: $1 text[]: aggregate ids
SELECT "position", service, service_position, event_id, command_id, client, aggregate_type, aggregate_id, sequence,
       event_type, event_version, payload::text AS payload, metadata::text AS metadata, recorded_at, occurred_at
FROM ledger.events
WHERE aggregate_id = ANY ($1)
ORDER BY aggregate_id, sequence
