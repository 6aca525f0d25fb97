-- The notifier: what it has to tell whom, how far that got, and what it must remember of cases and customers to do it.
--
-- Every personal value here is sealed, as it stands in the event that it came with.

-- Roles belong to the server, not to the database: another database's migration may make them at this moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'caseledger_notifier') THEN
        CREATE ROLE caseledger_notifier NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

CREATE TABLE notifier.settings (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    cut_over timestamptz NOT NULL
);

COMMENT ON TABLE notifier.settings IS 'One row, written when the notifier is first migrated.';
COMMENT ON COLUMN notifier.settings.cut_over IS 'What happened before this instant sends no notice: it came from another system, which told people itself.';

CREATE TABLE notifier.checkpoint (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL CHECK (position >= 0)
);

INSERT INTO notifier.checkpoint (position) VALUES (0);

COMMENT ON TABLE notifier.checkpoint IS 'One row: the position of the last event whose effect stands in these tables.';

CREATE TABLE notifier.contacts (
    customer_id uuid PRIMARY KEY,
    title text,
    name text NOT NULL,
    email text,
    withdrawn boolean NOT NULL DEFAULT false,
    deceased boolean NOT NULL DEFAULT false,
    prefers_another_medium boolean NOT NULL DEFAULT false,
    merged_into uuid
);

COMMENT ON TABLE notifier.contacts IS 'How each customer is reached now; each value is a sealed token.';
COMMENT ON COLUMN notifier.contacts.email IS 'Null where the customer gave none, or took it away.';
COMMENT ON COLUMN notifier.contacts.withdrawn IS 'Whether the customer withdrew the consent to emails and gave none since: then none is sent.';

CREATE TABLE notifier.cases (
    case_id uuid PRIMARY KEY,
    customer_id uuid,
    reference text NOT NULL,
    request_type text NOT NULL
);

COMMENT ON COLUMN notifier.contacts.deceased IS 'Whether the customer died: then nothing is sent.';
COMMENT ON COLUMN notifier.contacts.prefers_another_medium IS 'Whether the customer wants letters or calls: then no email is sent, and the case is told.';
COMMENT ON COLUMN notifier.contacts.merged_into IS 'The record of the same person that is kept: what it says of emails holds here too.';

COMMENT ON TABLE notifier.cases IS 'The cases: what their notices say of them, and to whom. One without a customer has none to tell.';

CREATE TABLE notifier.deliveries (
    position bigint NOT NULL CHECK (position > 0),
    recipient uuid NOT NULL,
    medium text NOT NULL CHECK (medium IN ('email')),
    event_id uuid NOT NULL,
    correlation_id text NOT NULL,
    case_id uuid NOT NULL,
    reference text NOT NULL,
    request_type text NOT NULL,
    notice text NOT NULL,
    occurred_at timestamptz NOT NULL,
    outcome text,
    decided_by_officer boolean NOT NULL,
    reasons text,
    answer_by date,
    exemptions text[] NOT NULL,
    corrected_to text,
    received_on date,
    message_id text NOT NULL,
    queued_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'no_address', 'consent_withdrawn', 'deceased', 'prefers_another_medium', 'not_readable')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_code text,
    finished_at timestamptz,
    recorded text CHECK (recorded IN ('accepted', 'rejected')),
    record_code text,
    record_attempts integer NOT NULL DEFAULT 0 CHECK (record_attempts >= 0),
    next_attempt_at timestamptz,
    PRIMARY KEY (position, recipient, medium),
    CONSTRAINT finished_unless_pending CHECK ((state = 'pending') = (finished_at IS NULL)),
    CONSTRAINT recorded_only_when_finished CHECK (recorded IS NULL OR state <> 'pending'),
    CONSTRAINT rejected_with_a_code CHECK (recorded IS DISTINCT FROM 'rejected' OR record_code IS NOT NULL),
    CONSTRAINT due_until_recorded CHECK ((recorded IS NULL) = (next_attempt_at IS NOT NULL))
);

-- What is due to be sent, and what is due to be recorded: both are few, whatever was sent before.
CREATE INDEX deliveries_to_send ON notifier.deliveries (next_attempt_at, position) WHERE state = 'pending';
CREATE INDEX deliveries_to_record ON notifier.deliveries (next_attempt_at, position) WHERE state <> 'pending' AND recorded IS NULL;

COMMENT ON TABLE notifier.deliveries IS 'One row per event, recipient and medium: a notice, and what became of it.';
COMMENT ON COLUMN notifier.deliveries.outcome IS 'The outcome that the event gave the case, where it gave one: a notice tells of its own event, whatever came after.';
COMMENT ON COLUMN notifier.deliveries.decided_by_officer IS 'Whether the event says that a named officer decided the outcome: a notice tells a decision as one, and a report as one.';
COMMENT ON COLUMN notifier.deliveries.reasons IS 'The reasons or the question that the event carries, as a sealed token.';
COMMENT ON COLUMN notifier.deliveries.answer_by IS 'By when the council would like an answer to that question.';
COMMENT ON COLUMN notifier.deliveries.message_id IS 'The Message-ID of every attempt.';
COMMENT ON COLUMN notifier.deliveries.queued_at IS 'The date that every attempt carries.';
COMMENT ON COLUMN notifier.deliveries.last_code IS 'Why the last attempt failed: a reply code of the mail server, or a word.';
COMMENT ON COLUMN notifier.deliveries.recorded IS 'How the command that records the delivery on its case was answered.';
COMMENT ON COLUMN notifier.deliveries.record_code IS 'Why the last attempt to record it failed: the code of the rejection, or of what stood in the way.';
COMMENT ON COLUMN notifier.deliveries.next_attempt_at IS 'When to send it next or, once it is finished, to record it next.';

GRANT USAGE ON SCHEMA notifier TO caseledger_notifier;
GRANT SELECT ON notifier.settings TO caseledger_notifier;
GRANT SELECT, UPDATE ON notifier.checkpoint TO caseledger_notifier;
GRANT SELECT, INSERT, UPDATE ON notifier.contacts TO caseledger_notifier;
GRANT SELECT, INSERT ON notifier.cases, notifier.deliveries TO caseledger_notifier;
GRANT UPDATE (request_type, customer_id) ON notifier.cases TO caseledger_notifier;
-- What a notice is about, and what it goes by, stays as it was queued.
GRANT UPDATE (state, attempts, last_code, finished_at, recorded, record_attempts, record_code, next_attempt_at)
    ON notifier.deliveries TO caseledger_notifier;
