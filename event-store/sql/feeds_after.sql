-- The messages of a feed after a place, the first of them first. The next one is told whatever its age: it may be the one that the
-- feed ends with, published long after it was recorded.
--   $1 text contractor, $2 bigint after, $3 timestamptz recorded since, $4 bigint at most so many
SELECT feed.sequence AS place, event.position, event.event_id, event.event_type, event.event_version,
       event.payload::text AS payload, event.aggregate_id::uuid AS aggregate_id, event.sequence, event.recorded_at
FROM ledger.feeds AS feed
JOIN ledger.events AS event ON event.position = feed.position
WHERE feed.contractor = $1 AND feed.sequence > $2 AND (feed.sequence = $2 + 1 OR event.recorded_at >= $3)
ORDER BY feed.sequence
LIMIT $4
