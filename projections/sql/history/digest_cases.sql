-- How many cases one generation has, and two sums over 64-bit hashes of every row's text, whatever their order.
-- $1 bigint: the generation
SELECT count(*) AS rows,
    coalesce(sum(hashtextextended(content, 0)), 0)::text || ' ' || coalesce(sum(hashtextextended(content, 1)), 0)::text AS digest
FROM (
    SELECT ROW (case_id, reference, service, request_type, class, catalogue_version, status, outcome, outcome_kind, customer_id,
        team, officer, received_on, opened_at, closed_at, waiting_for, reopened, version, position, description, place, answers,
        clocks, due_on)::text
    FROM history.case_rows
    WHERE generation = $1
) AS held (content)
