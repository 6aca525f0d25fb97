-- Entitlements: one, a customer's (and those of records merged into theirs), or those that end by a day; the one that ends first, first.
-- $1 uuid: the entitlement, or null; $2 uuid: the customer, or null; $3 date: granted, and ending by then, or null;
-- $4 text: what it is, or null; $5 bigint: how many at most
SELECT entitlement_id, entitlement, service, customer_id, case_id, reference, stage, starts_on, ends_on, renew_from, ended_because,
    ended_on, ended_by, ended_reason::text, number::text, property::text, quantity, renewed, others_at_property, version, position
FROM history.entitlements
WHERE ($1::uuid IS NULL OR entitlement_id = $1)
    AND ($2::uuid IS NULL OR customer_id = $2
        OR customer_id IN (SELECT merged.customer_id FROM history.customers AS merged WHERE merged.merged_into = $2))
    AND ($3::date IS NULL OR (ends_on <= $3 AND stage = 'granted'))
    AND ($4::text IS NULL OR entitlement = $4)
ORDER BY ends_on, entitlement_id
LIMIT $5
