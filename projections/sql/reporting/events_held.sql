-- How many events the rows of one generation hold.
-- $1 bigint: the generation
SELECT (SELECT coalesce(sum(events), 0)::bigint FROM reporting.request_rows WHERE generation = $1)
     + (SELECT coalesce(sum(events), 0)::bigint FROM reporting.entitlement_rows WHERE generation = $1)
     + (SELECT coalesce(sum(events), 0)::bigint FROM reporting.round_rows WHERE generation = $1)
