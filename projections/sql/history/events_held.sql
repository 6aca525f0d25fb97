-- How many events the rows of one generation hold.
-- $1 bigint: the generation
SELECT (SELECT coalesce(sum(version), 0)::bigint FROM history.case_rows WHERE generation = $1)
     + (SELECT coalesce(sum(version), 0)::bigint FROM history.customer_rows WHERE generation = $1)
     + (SELECT coalesce(sum(version), 0)::bigint FROM history.entitlement_rows WHERE generation = $1)
