-- Writes an action.
-- $1 bigint: the generation; $2 uuid: the case's key; $3 bigint: its entry; $4 text: the action; $5 date: when; $6 bigint: its cost, or null;
-- $7 bigint: the penalty, or null
INSERT INTO reporting.enforcement_action_rows (generation, case_key, entry, action, taken_on, cost_pence, penalty_pence)
VALUES ($1, $2, $3, $4, $5, $6, $7)
