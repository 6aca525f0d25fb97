-- Gives keys to entitlements that have none.
-- $1 uuid[]: the entitlements
-- $2 uuid[]: a new key for each; not used where the entitlement has one
INSERT INTO reporting.entitlement_keys (entitlement_id, entitlement_key)
SELECT entitlement_id, entitlement_key
FROM unnest($1::uuid[], $2::uuid[]) AS given (entitlement_id, entitlement_key)
ON CONFLICT (entitlement_id) DO NOTHING
