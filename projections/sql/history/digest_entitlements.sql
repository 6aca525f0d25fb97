-- How many entitlements one generation has, and two sums over 64-bit hashes of every row's text, whatever their order.
-- $1 bigint: the generation
SELECT count(*) AS rows,
    coalesce(sum(hashtextextended(content, 0)), 0)::text || ' ' || coalesce(sum(hashtextextended(content, 1)), 0)::text AS digest
FROM (
    SELECT ROW (entitlement_id, entitlement, service, customer_id, case_id, reference, stage, starts_on, ends_on, renew_from,
        ended_because, ended_on, ended_by, ended_reason, number, property, quantity, renewed, others_at_property, version, position)::text
    FROM history.entitlement_rows
    WHERE generation = $1
) AS held (content)
