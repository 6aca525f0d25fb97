-- All cases of a customer, and of the records of the same person that were merged into theirs, the latest first.
-- $1 uuid: the customer
SELECT case_id, reference, service, request_type, class, catalogue_version, status, outcome, outcome_kind, customer_id, team,
    officer, received_on, opened_at, closed_at, waiting_for, reopened, version, position, description::text, place::text, answers::text,
    clocks::text
FROM history.cases
WHERE customer_id = $1
    OR customer_id IN (SELECT merged.customer_id FROM history.customers AS merged WHERE merged.merged_into = $1)
ORDER BY opened_at DESC, position DESC
