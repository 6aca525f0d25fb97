-- Cases with a running clock that is due by a day, the earliest first.
-- $1 date: the day; $2 text: a service, or null; $3 text: a team, or null; $4 bigint: at most so many
SELECT case_id, reference, service, request_type, class, catalogue_version, status, outcome, outcome_kind, customer_id, team,
    officer, received_on, opened_at, closed_at, waiting_for, reopened, version, position, description::text, place::text, answers::text,
    clocks::text
FROM history.cases
WHERE due_on <= $1 AND ($2::text IS NULL OR service = $2) AND ($3::text IS NULL OR team = $3)
ORDER BY due_on, reference
LIMIT $4
