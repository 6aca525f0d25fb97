-- Writes customers as they stand after a batch.
-- $1 bigint: the generation
-- $2 … $13: one array a column, one element a customer
INSERT INTO history.customer_rows (
    generation, customer_id, title, name, address, phone, email, consents, particulars, merged_into, registered_at, version,
    position
)
SELECT $1, customer_id, title::json, name::json, address::json, phone::json, email::json, consents::json,
    particulars::json, merged_into, registered_at, version, position
FROM unnest(
    $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[],
    $11::timestamptz[], $12::bigint[], $13::bigint[]
) AS given (
    customer_id, title, name, address, phone, email, consents, particulars, merged_into, registered_at, version, position
)
ON CONFLICT (generation, customer_id) DO UPDATE
SET title = excluded.title, name = excluded.name, address = excluded.address, phone = excluded.phone, email = excluded.email,
    consents = excluded.consents, particulars = excluded.particulars, merged_into = excluded.merged_into, version = excluded.version, position = excluded.position
