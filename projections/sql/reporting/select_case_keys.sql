-- The keys of cases.
-- $1 uuid[]: the cases
SELECT case_id, case_key
FROM reporting.case_keys
WHERE case_id = ANY ($1)
