-- Requests of one generation, as they stand.
-- $1 bigint: the generation
-- $2 uuid[]: their keys
SELECT case_key, person_key, service, request_type, class, channel, received_on, status, outcome, outcome_kind, times_reopened,
    closed_on, version
FROM reporting.request_rows
WHERE generation = $1 AND case_key = ANY ($2)
