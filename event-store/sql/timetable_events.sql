-- The events of some types between two positions.
--   $1 bigint after, $2 bigint up to and with, $3 text[] types
SELECT position, aggregate_id::uuid AS aggregate_id, event_type, event_version, payload::text AS payload
FROM ledger.events
WHERE position > $1 AND position <= $2 AND event_type = ANY ($3)
ORDER BY position
