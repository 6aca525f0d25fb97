-- How many entitlements one generation has, and two sums over 64-bit hashes of every row's text, whatever their order.
-- $1 bigint: the generation
SELECT count(*) AS rows,
    coalesce(sum(hashtextextended(content, 0)), 0)::text || ' ' || coalesce(sum(hashtextextended(content, 1)), 0)::text AS digest
FROM (
    SELECT ROW (entitlement_key, person_key, service, entitlement, stage, granted_on, starts_on, ends_on, ended_because, ended_on, renewed,
        renewed_late, events)::text
    FROM reporting.entitlement_rows
    WHERE generation = $1
) AS held (content)
