-- The log after a position, in order.
-- Parameters: $1 bigint: the position; $2 bigint: how many at most
SELECT "position", service, service_position, event_id, command_id, client, aggregate_type, aggregate_id, sequence,
       event_type, event_version, payload::text AS payload, metadata::text AS metadata, recorded_at, occurred_at
FROM ledger.events
WHERE "position" > $1
ORDER BY "position"
LIMIT $2
