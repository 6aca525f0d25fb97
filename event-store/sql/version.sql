-- The version of a stream; 0 where it has no events.
-- Parameters: $1 text: aggregate id
SELECT coalesce(max(sequence), 0) AS version FROM ledger.events WHERE aggregate_id = $1
