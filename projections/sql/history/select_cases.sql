-- Cases of one generation, as they stand.
-- $1 bigint: the generation
-- $2 uuid[]: the cases
SELECT case_id, reference, service, request_type, class, catalogue_version, status, outcome, outcome_kind, customer_id, team,
    officer, received_on, opened_at, closed_at, reopened, version, position, description::text, place::text, answers::text
FROM history.case_rows
WHERE generation = $1 AND case_id = ANY ($2)
