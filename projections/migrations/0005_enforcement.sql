-- What may be somebody's offence: where and how large it was, and what was done against it. Nobody is named here.

ALTER TABLE reporting.request_rows ADD COLUMN land text, ADD COLUMN incident_size text, ADD COLUMN found_by text;

CREATE OR REPLACE VIEW reporting.requests AS
SELECT case_key, person_key, service, request_type, class, channel, received_on,
    date_trunc('month', received_on::timestamp)::date AS received_month,
    status, outcome, outcome_kind, times_reopened > 0 AS reopened, times_reopened, closed_on, ward, statistical_area, land, incident_size,
    found_by
FROM reporting.request_rows
WHERE generation = (SELECT live.generation FROM reporting.checkpoints AS live WHERE live.projection = 'reporting');

COMMENT ON COLUMN reporting.requests.land IS 'On what kind of land an incident was found; null where none was recorded.';
COMMENT ON COLUMN reporting.requests.incident_size IS 'How much it was; null where that was not recorded.';
COMMENT ON COLUMN reporting.requests.found_by IS 'Who found it first: public, officer, crew or other_body.';

CREATE TABLE reporting.enforcement_action_rows (
    generation bigint NOT NULL,
    case_key uuid NOT NULL,
    entry bigint NOT NULL,
    action text NOT NULL,
    taken_on date NOT NULL,
    cost_pence bigint,
    penalty_pence bigint,
    result text,
    result_on date,
    result_pence bigint,
    PRIMARY KEY (generation, case_key, entry)
);

CREATE VIEW reporting.enforcement_actions AS
SELECT taken.case_key, request.service, request.request_type, request.ward, taken.action, taken.taken_on, taken.cost_pence,
    taken.penalty_pence, taken.result, taken.result_on, taken.result_pence
FROM reporting.enforcement_action_rows AS taken
JOIN reporting.request_rows AS request USING (generation, case_key)
WHERE taken.generation = (SELECT live.generation FROM reporting.checkpoints AS live WHERE live.projection = 'reporting');

COMMENT ON VIEW reporting.enforcement_actions IS 'One row for each action against what may be an offence, but for those that were struck out.';
COMMENT ON COLUMN reporting.enforcement_actions.case_key IS 'Stands for the case, as in reporting.requests.';
COMMENT ON COLUMN reporting.enforcement_actions.service IS 'The service that the request belongs to.';
COMMENT ON COLUMN reporting.enforcement_actions.request_type IS 'The request type''s reporting code.';
COMMENT ON COLUMN reporting.enforcement_actions.ward IS 'The code of the ward where it is; null where that is not known.';
COMMENT ON COLUMN reporting.enforcement_actions.action IS 'What was done, such as fixed_penalty.';
COMMENT ON COLUMN reporting.enforcement_actions.taken_on IS 'When.';
COMMENT ON COLUMN reporting.enforcement_actions.cost_pence IS 'What it cost the council; null where that is not known.';
COMMENT ON COLUMN reporting.enforcement_actions.penalty_pence IS 'The penalty; null of what is no fixed penalty.';
COMMENT ON COLUMN reporting.enforcement_actions.result IS 'What came of it; null where that is not known.';
COMMENT ON COLUMN reporting.enforcement_actions.result_on IS 'When that was.';
COMMENT ON COLUMN reporting.enforcement_actions.result_pence IS 'What was paid, or the fine.';

GRANT SELECT, INSERT, UPDATE, DELETE ON reporting.enforcement_action_rows TO caseledger_projector;
GRANT SELECT ON reporting.enforcement_actions TO caseledger_projector, caseledger_analyst;
