-- The case that has a reference: the stream of the command that opened it. Its condition is that of the index
-- commands_case_reference_key.
-- Parameters: $1 text: the reference
SELECT aggregate_id
FROM ledger.commands
WHERE reference = $1 AND version = cardinality(event_ids) AND version > 0
