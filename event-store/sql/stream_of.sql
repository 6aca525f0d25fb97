-- The stream of the command that brought an external reference.
-- Parameters: $1 text: the other system, $2 text: its id there
SELECT aggregate_id
FROM ledger.commands
WHERE external_system = $1 AND external_id = $2
