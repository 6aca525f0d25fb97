-- Gives keys to people who have none.
-- $1 uuid[]: the customers
-- $2 uuid[]: a new key for each; not used where the customer has one
INSERT INTO reporting.person_keys (customer_id, person_key)
SELECT customer_id, person_key
FROM unnest($1::uuid[], $2::uuid[]) AS given (customer_id, person_key)
ON CONFLICT (customer_id) DO NOTHING
