-- How many customers one generation has, and two sums over 64-bit hashes of every row's text, whatever their order.
-- $1 bigint: the generation
SELECT count(*) AS rows,
    coalesce(sum(hashtextextended(content, 0)), 0)::text || ' ' || coalesce(sum(hashtextextended(content, 1)), 0)::text AS digest
FROM (
    SELECT ROW (customer_id, title, name, address, phone, email, consents, particulars, merged_into, registered_at, version,
        position)::text
    FROM history.customer_rows
    WHERE generation = $1
) AS held (content)
