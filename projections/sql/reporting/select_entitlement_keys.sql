-- The keys of entitlements.
-- $1 uuid[]: the entitlements
-- One look-up an entitlement: a plan that was made while the table was small would read it whole as it grows.
SELECT held.entitlement_id, held.entitlement_key
FROM (SELECT DISTINCT unnest($1::uuid[]) AS entitlement_id) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM reporting.entitlement_keys AS stored WHERE stored.entitlement_id = wanted.entitlement_id LIMIT 1
) AS held
