-- The keys of cases.
-- $1 uuid[]: the cases
-- One look-up a case: a plan that was made while the table was small would read it whole as it grows.
SELECT held.case_id, held.case_key
FROM (SELECT DISTINCT unnest($1::uuid[]) AS case_id) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM reporting.case_keys AS stored WHERE stored.case_id = wanted.case_id LIMIT 1
) AS held
