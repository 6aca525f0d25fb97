-- Requests of one generation, as they stand.
-- $1 bigint: the generation
-- $2 uuid[]: their keys
-- One look-up a key: a plan that was made while the table was small would read it whole as it grows.
SELECT held.case_key, held.person_key, held.service, held.request_type, held.class, held.channel, held.received_on, held.status,
    held.outcome, held.outcome_kind, held.times_reopened, held.closed_on, held.events,
    held.ward, held.statistical_area, held.land, held.incident_size, held.found_by
FROM (SELECT DISTINCT unnest($2::uuid[]) AS case_key) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM reporting.request_rows AS stored
    WHERE stored.generation = $1 AND stored.case_key = wanted.case_key
    LIMIT 1
) AS held
