-- Writes entitlements as they stand after a batch.
-- $1 bigint: the generation
-- $2 … $22: one array a column, one element an entitlement
INSERT INTO history.entitlement_rows (
    generation, entitlement_id, entitlement, service, customer_id, case_id, reference, stage, starts_on, ends_on, renew_from, ended_because,
    ended_on, ended_by, ended_reason, number, property, quantity, renewed, others_at_property, version, position
)
SELECT $1, entitlement_id, entitlement, service, customer_id, case_id, reference, stage, starts_on, ends_on, renew_from,
    ended_because, ended_on, ended_by, ended_reason::json, number::json, property::json, quantity, renewed, others_at_property, version, position
FROM unnest(
    $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::date[], $10::date[], $11::date[],
    $12::text[], $13::date[], $14::text[], $15::text[], $16::text[], $17::text[], $18::int[], $19::int[], $20::int[],
    $21::bigint[], $22::bigint[]
) AS given (
    entitlement_id, entitlement, service, customer_id, case_id, reference, stage, starts_on, ends_on, renew_from, ended_because, ended_on,
    ended_by, ended_reason, number, property, quantity, renewed, others_at_property, version, position
)
ON CONFLICT (generation, entitlement_id) DO UPDATE
SET case_id = excluded.case_id, reference = excluded.reference, stage = excluded.stage, starts_on = excluded.starts_on,
    ends_on = excluded.ends_on, renew_from = excluded.renew_from, ended_because = excluded.ended_because,
    ended_on = excluded.ended_on, ended_by = excluded.ended_by, ended_reason = excluded.ended_reason, number = excluded.number, property = excluded.property,
    quantity = excluded.quantity, renewed = excluded.renewed, others_at_property = excluded.others_at_property,
    version = excluded.version, position = excluded.position
