-- The keys of people.
-- $1 uuid[]: the customers
-- One look-up a person: a plan that was made while the table was small would read it whole as it grows.
SELECT held.customer_id, held.person_key
FROM (SELECT DISTINCT unnest($1::uuid[]) AS customer_id) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM reporting.person_keys AS stored WHERE stored.customer_id = wanted.customer_id LIMIT 1
) AS held
