-- Writes what came of an action.
-- $1 bigint: the generation; $2 uuid: the case's key; $3 bigint: its entry; $4 text: the result; $5 date: when; $6 bigint: pence, or null
UPDATE reporting.enforcement_action_rows
SET result = $4, result_on = $5, result_pence = $6
WHERE generation = $1 AND case_key = $2 AND entry = $3
