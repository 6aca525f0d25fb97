-- Requests by ward and statistical area. Of what was applied before this no area was known: no event had one.

ALTER TABLE reporting.request_rows ADD COLUMN ward text, ADD COLUMN statistical_area text;

CREATE OR REPLACE VIEW reporting.requests AS
SELECT case_key, person_key, service, request_type, class, channel, received_on,
    date_trunc('month', received_on::timestamp)::date AS received_month,
    status, outcome, outcome_kind, times_reopened > 0 AS reopened, times_reopened, closed_on, ward, statistical_area
FROM reporting.request_rows
WHERE generation = (SELECT live.generation FROM reporting.checkpoints AS live WHERE live.projection = 'reporting');

COMMENT ON COLUMN reporting.requests.ward IS 'The code of the ward where it is, by the boundaries of its day; null where that is not known.';
COMMENT ON COLUMN reporting.requests.statistical_area IS 'The code of the statistical area (LSOA) where it is; null where that is not known.';
