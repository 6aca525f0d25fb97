-- Customers of one generation, as they stand.
-- $1 bigint: the generation
-- $2 uuid[]: the customers
-- One look-up a customer: a plan that was made while the table was small would read it whole as it grows.
SELECT held.customer_id, held.title::text, held.name::text, held.address::text, held.phone::text, held.email::text,
    held.consents::text, held.particulars::text, held.merged_into, held.registered_at, held.version, held.position
FROM (SELECT DISTINCT unnest($2::uuid[]) AS customer_id) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM history.customer_rows AS stored
    WHERE stored.generation = $1 AND stored.customer_id = wanted.customer_id
    LIMIT 1
) AS held
