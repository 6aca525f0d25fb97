-- How many requests one generation has, and two sums over 64-bit hashes of every row's text, whatever their order.
-- $1 bigint: the generation
SELECT count(*) AS rows,
    coalesce(sum(hashtextextended(content, 0)), 0)::text || ' ' || coalesce(sum(hashtextextended(content, 1)), 0)::text AS digest
FROM (
    SELECT ROW (case_key, person_key, service, request_type, class, channel, received_on, status, outcome, outcome_kind,
        times_reopened, closed_on, events, ward, statistical_area, land, incident_size, found_by)::text
    FROM reporting.request_rows
    WHERE generation = $1
) AS held (content)
