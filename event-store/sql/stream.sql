-- The events of one stream after a version, in order.
-- Parameters: $1 text: aggregate id; $2 bigint: the version
SELECT "position", service, service_position, event_id, command_id, client, aggregate_type, aggregate_id, sequence,
       event_type, event_version, payload::text AS payload, metadata::text AS metadata, recorded_at, occurred_at
FROM ledger.events
WHERE aggregate_id = $1 AND sequence > $2
ORDER BY sequence
