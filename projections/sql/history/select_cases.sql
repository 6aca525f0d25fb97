-- Cases of one generation, as they stand.
-- $1 bigint: the generation
-- $2 uuid[]: the cases
-- One look-up a case: a plan that was made while the table was small would read it whole as it grows.
SELECT held.case_id, held.reference, held.service, held.request_type, held.class, held.catalogue_version, held.status,
    held.outcome, held.outcome_kind, held.customer_id, held.team, held.officer, held.received_on, held.opened_at, held.closed_at,
    held.waiting_for, held.reopened, held.version, held.position, held.description::text, held.place::text, held.answers::text,
    held.clocks::text
FROM (SELECT DISTINCT unnest($2::uuid[]) AS case_id) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM history.case_rows AS stored
    WHERE stored.generation = $1 AND stored.case_id = wanted.case_id
    LIMIT 1
) AS held
