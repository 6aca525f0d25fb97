-- Writes entitlements as they stand after a batch.
-- $1 bigint: the generation
-- $2 … $14: one array a column, one element an entitlement
INSERT INTO reporting.entitlement_rows (
    generation, entitlement_key, person_key, service, entitlement, stage, granted_on, starts_on, ends_on, ended_because, ended_on, renewed,
    renewed_late, events
)
SELECT $1, entitlement_key, person_key, service, entitlement, stage, granted_on, starts_on, ends_on, ended_because, ended_on, renewed,
    renewed_late, events
FROM unnest(
    $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::date[], $8::date[], $9::date[], $10::text[], $11::date[],
    $12::int[], $13::int[], $14::bigint[]
) AS given (
    entitlement_key, person_key, service, entitlement, stage, granted_on, starts_on, ends_on, ended_because, ended_on, renewed,
    renewed_late, events
)
ON CONFLICT (generation, entitlement_key) DO UPDATE
SET stage = excluded.stage, starts_on = excluded.starts_on, ends_on = excluded.ends_on, ended_because = excluded.ended_because,
    ended_on = excluded.ended_on,
    renewed = excluded.renewed, renewed_late = excluded.renewed_late, events = excluded.events
