-- Gives keys to cases that have none.
-- $1 uuid[]: the cases
-- $2 uuid[]: a new key for each; not used where the case has one
INSERT INTO reporting.case_keys (case_id, case_key)
SELECT case_id, case_key
FROM unnest($1::uuid[], $2::uuid[]) AS given (case_id, case_key)
ON CONFLICT (case_id) DO NOTHING
