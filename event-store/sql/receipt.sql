-- The recorded result of one command, if there is one.
-- Parameters: $1 text: client; $2 uuid: command id
SELECT fingerprint, aggregate_id, reference, version, "position", event_ids, problem::text AS problem, recorded_at
FROM ledger.commands
WHERE client = $1 AND command_id = $2
