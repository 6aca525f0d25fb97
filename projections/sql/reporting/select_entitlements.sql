-- Entitlements of one generation, as they stand.
-- $1 bigint: the generation
-- $2 uuid[]: their keys
-- One look-up a key: a plan that was made while the table was small would read it whole as it grows.
SELECT held.entitlement_key, held.person_key, held.service, held.entitlement, held.stage, held.granted_on, held.starts_on,
    held.ends_on, held.ended_because, held.ended_on, held.renewed, held.renewed_late, held.events
FROM (SELECT DISTINCT unnest($2::uuid[]) AS entitlement_key) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM reporting.entitlement_rows AS stored
    WHERE stored.generation = $1 AND stored.entitlement_key = wanted.entitlement_key
    LIMIT 1
) AS held
