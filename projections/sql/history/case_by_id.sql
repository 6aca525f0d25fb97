-- One case.
-- $1 uuid: the case
SELECT case_id, reference, service, request_type, class, catalogue_version, status, outcome, outcome_kind, customer_id, team,
    officer, received_on, opened_at, closed_at, waiting_for, reopened, version, position, description::text, place::text, answers::text,
    clocks::text
FROM history.cases
WHERE case_id = $1
