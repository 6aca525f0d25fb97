-- Numbers for references, none given twice.
-- Parameters: $1 bigint: how many
SELECT nextval('ledger.reference_numbers') AS number FROM generate_series(1, $1)
