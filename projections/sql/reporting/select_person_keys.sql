-- The keys of people.
-- $1 uuid[]: the customers
SELECT customer_id, person_key
FROM reporting.person_keys
WHERE customer_id = ANY ($1)
