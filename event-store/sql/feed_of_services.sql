-- The log after a position, in order, only the events of some services.
-- Parameters: $1 bigint: the position; $2 bigint: how many at most; $3 text[]: the services
-- The next of each service by its own index, then merged: what lies between them is not looked at.
SELECT "position", service, service_position, event_id, command_id, client, aggregate_type, aggregate_id, sequence,
       event_type, event_version, payload::text AS payload, metadata::text AS metadata, recorded_at, occurred_at
FROM unnest($3) AS wanted (name)
CROSS JOIN LATERAL (
    SELECT * FROM ledger.events AS stored
    WHERE stored.service = wanted.name AND stored."position" > $1
    ORDER BY stored."position"
    LIMIT $2
) AS event
ORDER BY "position"
LIMIT $2
