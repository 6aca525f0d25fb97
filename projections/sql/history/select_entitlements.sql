-- Entitlements of one generation, as they stand.
-- $1 bigint: the generation
-- $2 uuid[]: the entitlements
-- One look-up an entitlement: a plan that was made while the table was small would read it whole as it grows.
SELECT held.entitlement_id, held.entitlement, held.service, held.customer_id, held.case_id, held.reference, held.stage,
    held.starts_on, held.ends_on, held.renew_from, held.ended_because, held.ended_on, held.ended_by,
    held.ended_reason::text, held.number::text, held.property::text, held.quantity, held.renewed,
    held.others_at_property, held.version, held.position
FROM (SELECT DISTINCT unnest($2::uuid[]) AS entitlement_id) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM history.entitlement_rows AS stored
    WHERE stored.generation = $1 AND stored.entitlement_id = wanted.entitlement_id
    LIMIT 1
) AS held
