-- Writes cases as they stand after a batch.
-- $1 bigint: the generation
-- $2 … $25: one array a column, one element a case
INSERT INTO history.case_rows (
    generation, case_id, reference, service, request_type, class, catalogue_version, status, outcome, outcome_kind, customer_id,
    team, officer, received_on, opened_at, closed_at, waiting_for, reopened, version, position, description, place, answers,
    clocks, due_on
)
SELECT $1, case_id, reference, service, request_type, class, catalogue_version, status, outcome, outcome_kind, customer_id, team,
    officer, received_on, opened_at, closed_at, string_to_array(waiting_for, ' '), reopened,
    version, position, description::json, place::json, answers::json, clocks::json, due_on
FROM unnest(
    $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::uuid[],
    $12::text[], $13::text[], $14::date[], $15::timestamptz[], $16::timestamptz[], $17::text[], $18::int[], $19::bigint[],
    $20::bigint[], $21::text[], $22::text[], $23::text[], $24::text[], $25::date[]
) AS given (
    case_id, reference, service, request_type, class, catalogue_version, status, outcome, outcome_kind, customer_id, team,
    officer, received_on, opened_at, closed_at, waiting_for, reopened, version, position, description, place, answers, clocks, due_on
)
ON CONFLICT (generation, case_id) DO UPDATE
SET request_type = excluded.request_type, class = excluded.class, customer_id = excluded.customer_id, status = excluded.status,
    outcome = excluded.outcome, outcome_kind = excluded.outcome_kind, team = excluded.team,
    officer = excluded.officer, closed_at = excluded.closed_at, waiting_for = excluded.waiting_for, reopened = excluded.reopened, version = excluded.version,
    position = excluded.position, description = excluded.description, place = excluded.place, answers = excluded.answers,
    clocks = excluded.clocks, due_on = excluded.due_on
