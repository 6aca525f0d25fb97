-- The history: each case as it stands, its timeline (a view of the log), and its customer, with everything personal still
-- sealed.
--
-- Rows carry a generation. One generation is live, and the checkpoint says which; a rebuild fills another beside it and
-- becomes live by one update of the checkpoint. Services read the views, which show the live generation only, so every
-- reader, also one whose snapshot is older than the switch, sees the old rows or the new ones.

-- Roles belong to the server, not to the database: another database's migration may make them at this moment.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['caseledger_projector', 'caseledger_analyst', 'caseledger_writer', 'caseledger_notifier'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;

CREATE TABLE history.checkpoints (
    projection text PRIMARY KEY,
    generation bigint NOT NULL DEFAULT 1,
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    event_id uuid,
    recorded_at timestamptz,
    traceless bigint NOT NULL DEFAULT 0 CHECK (traceless >= 0),
    CONSTRAINT the_last_event_is_known CHECK ((position = 0) = (event_id IS NULL) AND (position = 0) = (recorded_at IS NULL))
);

COMMENT ON TABLE history.checkpoints IS 'How far each projection of this schema is. Written in the transaction that writes its rows.';
COMMENT ON COLUMN history.checkpoints.generation IS 'The generation of rows that readers see.';
COMMENT ON COLUMN history.checkpoints.position IS 'The position of the last event applied; 0 before the first.';
COMMENT ON COLUMN history.checkpoints.event_id IS 'The id of that event: where the log has another one there, it is another log.';
COMMENT ON COLUMN history.checkpoints.recorded_at IS 'When that event was recorded.';
COMMENT ON COLUMN history.checkpoints.traceless IS 'How many of the events applied leave nothing in the rows.';

INSERT INTO history.checkpoints (projection) VALUES ('history');

CREATE TABLE history.rebuilds (LIKE history.checkpoints INCLUDING ALL);

COMMENT ON TABLE history.rebuilds IS 'The generation that is being built beside the live one, if any: one a projection.';

CREATE TABLE history.case_rows (
    generation bigint NOT NULL,
    case_id uuid NOT NULL,
    reference text NOT NULL,
    service text NOT NULL,
    request_type text NOT NULL,
    class text NOT NULL,
    catalogue_version text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'closed', 'cancelled')),
    outcome text,
    outcome_kind text,
    customer_id uuid,
    team text NOT NULL,
    officer text,
    received_on date NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    waiting_for text[] NOT NULL,
    reopened integer NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    description json,
    place json,
    answers json NOT NULL,
    clocks json NOT NULL,
    due_on date,
    PRIMARY KEY (generation, case_id),
    CONSTRAINT one_case_per_reference UNIQUE (generation, reference)
-- Room on each page for the next state of its rows: then no index has to know of it.
) WITH (fillfactor = 60);

CREATE INDEX case_rows_by_customer ON history.case_rows (generation, customer_id, opened_at) WHERE customer_id IS NOT NULL;

CREATE TABLE history.customer_rows (
    generation bigint NOT NULL,
    customer_id uuid NOT NULL,
    title json,
    name json NOT NULL,
    address json,
    phone json,
    email json,
    consents json NOT NULL,
    particulars json NOT NULL,
    merged_into uuid,
    registered_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (generation, customer_id)
);

CREATE INDEX customer_rows_merged ON history.customer_rows (merged_into, generation) WHERE merged_into IS NOT NULL;

CREATE INDEX case_rows_due ON history.case_rows (due_on, generation) WHERE due_on IS NOT NULL;

CREATE VIEW history.cases AS
SELECT case_id, reference, service, request_type, class, catalogue_version, status, outcome, outcome_kind, customer_id, team,
    officer, received_on, opened_at, closed_at, waiting_for, reopened, version, position, description, place, answers, clocks, due_on
FROM history.case_rows
WHERE generation = (SELECT live.generation FROM history.checkpoints AS live WHERE live.projection = 'history');

-- The timeline is the log itself, as far as the cases have come: it has no rows that could differ from it.
CREATE VIEW history.timeline AS
SELECT held.case_id, event.sequence, event.position, event.event_id, event.command_id, event.event_type, event.event_version,
    event.occurred_at, event.recorded_at, event.client, event.metadata ->> 'actor_kind' AS actor_kind,
    event.metadata ->> 'actor_id' AS actor_id, event.metadata ->> 'actor_assurance' AS actor_assurance,
    (event.metadata ->> 'on_behalf_of')::uuid AS on_behalf_of, event.metadata ->> 'channel' AS channel, event.payload,
    event.metadata
FROM history.cases AS held
JOIN ledger.events AS event ON event.aggregate_id = held.case_id::text AND event.sequence <= held.version;

CREATE VIEW history.customers AS
SELECT customer_id, title, name, address, phone, email, consents, particulars, merged_into, registered_at, version, position
FROM history.customer_rows
WHERE generation = (SELECT live.generation FROM history.checkpoints AS live WHERE live.projection = 'history');

COMMENT ON VIEW history.cases IS 'Each case as its events left it.';
COMMENT ON COLUMN history.cases.status IS 'Where the case is: open, closed or cancelled.';
COMMENT ON COLUMN history.cases.outcome IS 'What came of it, while it is closed.';
COMMENT ON COLUMN history.cases.officer IS 'The officer it is assigned to, where one is named.';
COMMENT ON COLUMN history.cases.opened_at IS 'When the request was made; its recording may be later.';
COMMENT ON COLUMN history.cases.closed_at IS 'When it was closed or cancelled, unless it is open again.';
COMMENT ON COLUMN history.cases.waiting_for IS 'What it waits for from the person: clarification, identity, evidence.';
COMMENT ON COLUMN history.cases.reopened IS 'How often it was reopened.';
COMMENT ON COLUMN history.cases.clocks IS 'Its clocks by name: by when, from when on that is near, what was said of it, and when it ended.';
COMMENT ON COLUMN history.cases.due_on IS 'The next day by which something has to be done: the earliest of its running clocks.';
COMMENT ON COLUMN history.cases.version IS 'The sequence of its last event.';
COMMENT ON COLUMN history.cases.position IS 'The position of its last event.';
COMMENT ON COLUMN history.cases.description IS 'Sealed.';
COMMENT ON COLUMN history.cases.place IS 'Sealed.';
COMMENT ON COLUMN history.cases.answers IS 'By question; sealed, except where the catalogue marks the question open.';
COMMENT ON VIEW history.timeline IS 'Every event of every case, as it was recorded: the log, up to where history.cases stands.';
COMMENT ON COLUMN history.timeline.payload IS 'The recorded text, to the byte; what is personal in it is sealed.';
COMMENT ON COLUMN history.timeline.metadata IS 'The recorded text, to the byte.';
COMMENT ON VIEW history.customers IS 'Each customer as their events left them; contact details are sealed.';
COMMENT ON COLUMN history.customers.particulars IS 'How they want to be reached, what they need, who acts for them, that they died, what to mind at their door; what is personal in it is sealed.';
COMMENT ON COLUMN history.customers.merged_into IS 'The record of the same person that is kept, where this one was merged.';
COMMENT ON COLUMN history.customers.consents IS 'By purpose: the wording agreed to, when it was given and when it was withdrawn.';

GRANT USAGE ON SCHEMA history TO caseledger_projector, caseledger_writer, caseledger_notifier;
GRANT SELECT, UPDATE ON history.checkpoints TO caseledger_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON history.rebuilds, history.case_rows, history.customer_rows
    TO caseledger_projector;
GRANT SELECT ON history.cases, history.timeline, history.customers TO caseledger_projector, caseledger_writer, caseledger_notifier;
