-- Reporting: facts for analysts, without personal data. Cases and people have keys of reporting's own; which key stands for
-- which case or customer is in tables that the analyst can't read.
--
-- Generations as in the history. The keys have none: a rebuild gives every case and person the key it had.

CREATE TABLE reporting.checkpoints (LIKE history.checkpoints INCLUDING ALL);
CREATE TABLE reporting.rebuilds (LIKE history.checkpoints INCLUDING ALL);

COMMENT ON TABLE reporting.checkpoints IS 'How far each projection of this schema is. Written in the transaction that writes its rows.';
COMMENT ON TABLE reporting.rebuilds IS 'The generation that is being built beside the live one, if any: one a projection.';

INSERT INTO reporting.checkpoints (projection) VALUES ('reporting');

CREATE TABLE reporting.case_keys (
    case_id uuid PRIMARY KEY,
    case_key uuid NOT NULL UNIQUE
);

CREATE TABLE reporting.person_keys (
    customer_id uuid PRIMARY KEY,
    person_key uuid NOT NULL UNIQUE
);

COMMENT ON TABLE reporting.case_keys IS 'Which case a key stands for. Not for analysts. Not derived from the log: it must be kept.';
COMMENT ON TABLE reporting.person_keys IS 'Which customer a key stands for. Not for analysts. Not derived from the log: it must be kept.';

CREATE TABLE reporting.request_rows (
    generation bigint NOT NULL,
    case_key uuid NOT NULL,
    person_key uuid,
    service text NOT NULL,
    request_type text NOT NULL,
    class text NOT NULL,
    channel text NOT NULL,
    received_on date NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'closed', 'cancelled')),
    outcome text,
    outcome_kind text,
    times_reopened integer NOT NULL,
    closed_on date,
    events bigint NOT NULL,
    PRIMARY KEY (generation, case_key)
-- Room on each page for the next state of its rows: then no index has to know of it.
) WITH (fillfactor = 75);

CREATE INDEX request_rows_by_day ON reporting.request_rows (received_on, generation);

COMMENT ON COLUMN reporting.request_rows.events IS 'How many of the case''s events say something that is reported: a rebuild is checked with it.';

CREATE VIEW reporting.requests AS
SELECT case_key, person_key, service, request_type, class, channel, received_on,
    date_trunc('month', received_on::timestamp)::date AS received_month,
    status, outcome, outcome_kind, times_reopened > 0 AS reopened, times_reopened, closed_on
FROM reporting.request_rows
WHERE generation = (SELECT live.generation FROM reporting.checkpoints AS live WHERE live.projection = 'reporting');

COMMENT ON VIEW reporting.requests IS 'One row for each request: every case of whatever class.';
COMMENT ON COLUMN reporting.requests.case_key IS 'Stands for the case. A key of reporting''s own: it is found nowhere else.';
COMMENT ON COLUMN reporting.requests.person_key IS 'Stands for the person whose case it is, the same in all their cases; null where the request was anonymous.';
COMMENT ON COLUMN reporting.requests.service IS 'The service that the request belongs to, such as waste.';
COMMENT ON COLUMN reporting.requests.request_type IS 'The request type''s reporting code, which stays the same when the catalogue changes.';
COMMENT ON COLUMN reporting.requests.class IS 'service_request, application, booking, complaint or information_request.';
COMMENT ON COLUMN reporting.requests.channel IS 'How the request reached the council.';
COMMENT ON COLUMN reporting.requests.received_on IS 'The day, in London, on which it was received: clocks start from it.';
COMMENT ON COLUMN reporting.requests.received_month IS 'The first day of the month of received_on.';
COMMENT ON COLUMN reporting.requests.status IS 'Where the request is: open, closed or cancelled.';
COMMENT ON COLUMN reporting.requests.outcome IS 'What came of it; null unless it is closed.';
COMMENT ON COLUMN reporting.requests.outcome_kind IS 'decision (a named officer decided) or completion (the work was done); null unless it is closed.';
COMMENT ON COLUMN reporting.requests.reopened IS 'Whether it was ever reopened.';
COMMENT ON COLUMN reporting.requests.times_reopened IS 'How often it was reopened.';
COMMENT ON COLUMN reporting.requests.closed_on IS 'The day, in London, on which it was last closed or cancelled; null while it is open.';

CREATE VIEW reporting.requests_by_month AS
SELECT service, request_type, channel, received_month, status, outcome, reopened, count(*) AS requests
FROM reporting.requests
GROUP BY service, request_type, channel, received_month, status, outcome, reopened;

COMMENT ON VIEW reporting.requests_by_month IS 'How many requests there are of each kind.';
COMMENT ON COLUMN reporting.requests_by_month.service IS 'The service that the requests belong to, such as waste.';
COMMENT ON COLUMN reporting.requests_by_month.request_type IS 'The request type''s reporting code, which stays the same when the catalogue changes.';
COMMENT ON COLUMN reporting.requests_by_month.channel IS 'How the requests reached the council.';
COMMENT ON COLUMN reporting.requests_by_month.received_month IS 'The first day of the month, in London, in which they were received.';
COMMENT ON COLUMN reporting.requests_by_month.status IS 'Where the requests are: open, closed or cancelled.';
COMMENT ON COLUMN reporting.requests_by_month.outcome IS 'What came of them; null unless they are closed.';
COMMENT ON COLUMN reporting.requests_by_month.reopened IS 'Whether they were ever reopened.';
COMMENT ON COLUMN reporting.requests_by_month.requests IS 'How many requests these are.';

CREATE VIEW reporting.as_of AS
SELECT position, recorded_at
FROM reporting.checkpoints
WHERE projection = 'reporting';

COMMENT ON VIEW reporting.as_of IS 'What the figures of this schema hold: read it in the same transaction (repeatable read) and quote it with them.';
COMMENT ON COLUMN reporting.as_of.position IS 'The position in the log of the last event that the figures hold; 0 before the first.';
COMMENT ON COLUMN reporting.as_of.recorded_at IS 'When that event was recorded; null before the first.';

GRANT USAGE ON SCHEMA reporting TO caseledger_projector, caseledger_analyst;
GRANT SELECT, UPDATE ON reporting.checkpoints TO caseledger_projector;
GRANT SELECT, INSERT ON reporting.case_keys, reporting.person_keys TO caseledger_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON reporting.rebuilds, reporting.request_rows TO caseledger_projector;
GRANT SELECT ON reporting.requests, reporting.requests_by_month, reporting.as_of TO caseledger_projector, caseledger_analyst;

-- An analyst makes nothing here, not even for the length of a session. That right comes from PUBLIC, and only the database's
-- owner may take it away; where another role migrates, the owner has to.
DO $$
BEGIN
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'database %: as its owner, run REVOKE CREATE, TEMPORARY ON DATABASE and REVOKE CREATE ON SCHEMA public FROM PUBLIC', current_database();
END
$$;
