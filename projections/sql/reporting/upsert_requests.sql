-- Writes requests as they stand after a batch.
-- $1 bigint: the generation
-- $2 … $19: one array a column, one element a request
INSERT INTO reporting.request_rows (
    generation, case_key, person_key, service, request_type, class, channel, received_on, status, outcome, outcome_kind,
    times_reopened, closed_on, events, ward, statistical_area, land, incident_size, found_by
)
SELECT $1, case_key, person_key, service, request_type, class, channel, received_on, status, outcome, outcome_kind,
    times_reopened, closed_on, events, ward, statistical_area, land, incident_size, found_by
FROM unnest(
    $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[], $9::text[], $10::text[], $11::text[],
    $12::int[], $13::date[], $14::bigint[], $15::text[], $16::text[], $17::text[],
    $18::text[], $19::text[]
) AS given (
    case_key, person_key, service, request_type, class, channel, received_on, status, outcome, outcome_kind, times_reopened,
    closed_on, events, ward, statistical_area, land, incident_size, found_by
)
ON CONFLICT (generation, case_key) DO UPDATE
SET person_key = excluded.person_key, request_type = excluded.request_type, class = excluded.class, status = excluded.status, outcome = excluded.outcome, outcome_kind = excluded.outcome_kind,
    times_reopened = excluded.times_reopened, closed_on = excluded.closed_on, events = excluded.events,
    ward = excluded.ward, statistical_area = excluded.statistical_area,
    land = excluded.land, incident_size = excluded.incident_size, found_by = excluded.found_by
