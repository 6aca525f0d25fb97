-- Takes out an action that was struck out.
-- $1 bigint: the generation; $2 uuid: the case's key; $3 bigint: its entry
DELETE FROM reporting.enforcement_action_rows WHERE generation = $1 AND case_key = $2 AND entry = $3
