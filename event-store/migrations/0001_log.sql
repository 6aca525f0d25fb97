-- The log: events in one order, and what became of each command.
--
-- `ledger.events` is a superset of the table that postgres-es reads: its columns have the same names and types.
-- Payload and metadata are `json`, not `jsonb`: the text is kept to the byte. Identifiers compare by bytes
-- (COLLATE "C"): they are no words of a language, and an index over them outlives every change of a locale.

CREATE TABLE ledger.events (
    aggregate_type text COLLATE "C" NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 1),
    event_type text COLLATE "C" NOT NULL,
    event_version text COLLATE "C" NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    position bigint NOT NULL CHECK (position >= 1),
    service text COLLATE "C" NOT NULL,
    service_position bigint NOT NULL CHECK (service_position >= 1),
    event_id uuid NOT NULL,
    command_id uuid NOT NULL,
    client text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    -- Without the type: an id names one stream, of one type, for ever. postgres-es finds a stream by this key too.
    CONSTRAINT events_stream_key PRIMARY KEY (aggregate_id, sequence),
    CONSTRAINT events_position_key UNIQUE (position),
    -- For those who follow one service. Within it, order by position is order by service_position.
    CONSTRAINT events_service_key UNIQUE (service, position)
);

COMMENT ON TABLE ledger.events IS 'Every event, for ever. Written only by ledger.append.';
COMMENT ON COLUMN ledger.events.aggregate_id IS 'The UUID of the stream, lower case, hyphenated; text because postgres-es binds text.';
COMMENT ON COLUMN ledger.events.sequence IS 'Place in its stream, from 1, without gaps.';
COMMENT ON COLUMN ledger.events.position IS 'Place in the log, from 1, without gaps, in the order of commits.';
COMMENT ON COLUMN ledger.events.service_position IS 'Place among the events of its service, from 1, without gaps.';
COMMENT ON COLUMN ledger.events.client IS 'Who sent the command; with command_id the key of ledger.commands.';
COMMENT ON COLUMN ledger.events.recorded_at IS 'When it was recorded, by the database''s clock; never earlier than the event before it.';
COMMENT ON COLUMN ledger.events.occurred_at IS 'When it happened, as far as is known.';

-- One row. Whoever appends locks it first, so that position is commit order.
CREATE TABLE ledger.head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    position bigint NOT NULL CHECK (position >= 0),
    recorded_at timestamptz
) WITH (fillfactor = 10);

INSERT INTO ledger.head (position) VALUES (0);

COMMENT ON TABLE ledger.head IS 'The end of the log: its last position and that event''s recorded_at.';

CREATE TABLE ledger.commands (
    client text COLLATE "C" NOT NULL,
    command_id uuid NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    status text COLLATE "C" NOT NULL CHECK (status IN ('accepted', 'rejected')),
    aggregate_id text COLLATE "C" NOT NULL,
    reference text COLLATE "C",
    version bigint NOT NULL CHECK (version >= 0),
    position bigint NOT NULL CHECK (position >= 0),
    event_ids uuid[] NOT NULL,
    problem json,
    external_system text COLLATE "C",
    external_id text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    CONSTRAINT commands_key PRIMARY KEY (client, command_id),
    CONSTRAINT a_problem_is_a_rejection CHECK ((problem IS NOT NULL) = (status = 'rejected')),
    CONSTRAINT a_rejection_has_no_effect CHECK (status = 'accepted' OR (event_ids = '{}' AND external_system IS NULL)),
    CONSTRAINT an_external_reference_is_whole CHECK ((external_system IS NULL) = (external_id IS NULL))
);

CREATE UNIQUE INDEX commands_external_reference_key ON ledger.commands (external_system, external_id)
    WHERE external_system IS NOT NULL;

-- Which case a reference names: of a case's commands only the one that opened it is in here, so the index stays small, and
-- no two cases can have the same reference.
CREATE UNIQUE INDEX commands_case_reference_key ON ledger.commands (reference)
    WHERE reference IS NOT NULL AND version = cardinality(event_ids) AND version > 0;

COMMENT ON TABLE ledger.commands IS 'The recorded result of each command, for ever: what makes a repeat harmless. Written only by ledger.append.';
COMMENT ON COLUMN ledger.commands.fingerprint IS 'Keyed hash of what was asked: the same id with another one is refused.';
COMMENT ON COLUMN ledger.commands.version IS 'The stream''s version after it.';
COMMENT ON COLUMN ledger.commands.position IS 'The position of its last event; without events, of the log''s head when it was recorded.';

-- The numbers behind the references that people quote. Gaps are fine.
CREATE SEQUENCE ledger.reference_numbers AS bigint;
