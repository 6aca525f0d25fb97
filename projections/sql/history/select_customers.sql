-- Customers of one generation, as they stand.
-- $1 bigint: the generation
-- $2 uuid[]: the customers
SELECT customer_id, title::text, name::text, address::text, phone::text, email::text, consents::text, registered_at, version,
    position
FROM history.customer_rows
WHERE generation = $1 AND customer_id = ANY ($2)
