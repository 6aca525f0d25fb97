-- Entitlements: as they stand, for officers; and without personal data, for analysts.

CREATE TABLE history.entitlement_rows (
    generation bigint NOT NULL,
    entitlement_id uuid NOT NULL,
    entitlement text NOT NULL,
    service text NOT NULL,
    customer_id uuid NOT NULL,
    case_id uuid NOT NULL,
    reference text NOT NULL,
    stage text NOT NULL CHECK (stage IN ('granted', 'expired', 'ended')),
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    renew_from date NOT NULL,
    ended_because text,
    ended_on date,
    ended_by text,
    ended_reason json,
    number json,
    property json,
    quantity integer,
    renewed integer NOT NULL,
    others_at_property integer,
    version bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (generation, entitlement_id)
);

CREATE INDEX entitlement_rows_by_customer ON history.entitlement_rows (customer_id, generation);
CREATE INDEX entitlement_rows_by_end ON history.entitlement_rows (ends_on, generation);

CREATE VIEW history.entitlements AS
SELECT entitlement_id, entitlement, service, customer_id, case_id, reference, stage, starts_on, ends_on, renew_from, ended_because,
    ended_on, ended_by, ended_reason, number, property, quantity, renewed, others_at_property, version, position
FROM history.entitlement_rows
WHERE generation = (SELECT live.generation FROM history.checkpoints AS live WHERE live.projection = 'history');

COMMENT ON VIEW history.entitlements IS 'What was granted with a term, as its events left it.';
COMMENT ON COLUMN history.entitlements.entitlement IS 'What it is, as the catalogue calls it, such as blue-badge.';
COMMENT ON COLUMN history.entitlements.case_id IS 'The case that granted its last term.';
COMMENT ON COLUMN history.entitlements.starts_on IS 'Since when it holds without a gap, or held last.';
COMMENT ON COLUMN history.entitlements.stage IS 'Where it is: granted, expired or ended.';
COMMENT ON COLUMN history.entitlements.ends_on IS 'The last day of its last term.';
COMMENT ON COLUMN history.entitlements.ended_because IS 'Why it was ended before its term; null otherwise.';
COMMENT ON COLUMN history.entitlements.ended_on IS 'The last day on which it held, where it was ended and had begun.';
COMMENT ON COLUMN history.entitlements.ended_by IS 'The officer who decided that, where it was decided.';
COMMENT ON COLUMN history.entitlements.ended_reason IS 'Why, in the actor''s words; sealed.';
COMMENT ON COLUMN history.entitlements.renew_from IS 'From which day on it can be renewed.';
COMMENT ON COLUMN history.entitlements.number IS 'What it is known by, such as the number on a badge; sealed.';
COMMENT ON COLUMN history.entitlements.property IS 'The property that it belongs to; sealed.';
COMMENT ON COLUMN history.entitlements.others_at_property IS 'How many others like it stood at its property when it came there, or was renewed there; null where none did.';

GRANT SELECT, INSERT, UPDATE, DELETE ON history.entitlement_rows TO caseledger_projector;
GRANT SELECT ON history.entitlements TO caseledger_projector, caseledger_writer, caseledger_notifier;

CREATE TABLE reporting.entitlement_keys (
    entitlement_id uuid PRIMARY KEY,
    entitlement_key uuid NOT NULL UNIQUE
);

COMMENT ON TABLE reporting.entitlement_keys IS 'Which entitlement a key stands for. Not for analysts. Not derived from the log: it must be kept.';

CREATE TABLE reporting.entitlement_rows (
    generation bigint NOT NULL,
    entitlement_key uuid NOT NULL,
    person_key uuid NOT NULL,
    service text NOT NULL,
    entitlement text NOT NULL,
    stage text NOT NULL CHECK (stage IN ('granted', 'expired', 'ended')),
    granted_on date NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    ended_because text,
    ended_on date,
    renewed integer NOT NULL,
    renewed_late integer NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (generation, entitlement_key)
);

CREATE VIEW reporting.entitlements AS
SELECT entitlement_key, person_key, service, entitlement, stage, granted_on, starts_on, ends_on, ended_because, ended_on,
    renewed, renewed_late
FROM reporting.entitlement_rows
WHERE generation = (SELECT live.generation FROM reporting.checkpoints AS live WHERE live.projection = 'reporting');

COMMENT ON VIEW reporting.entitlements IS 'One row for each entitlement: what was granted with a term.';
COMMENT ON COLUMN reporting.entitlements.entitlement_key IS 'Stands for the entitlement. A key of reporting''s own: it is found nowhere else.';
COMMENT ON COLUMN reporting.entitlements.person_key IS 'Stands for its holder, the same as in reporting.requests.';
COMMENT ON COLUMN reporting.entitlements.service IS 'The service that it belongs to.';
COMMENT ON COLUMN reporting.entitlements.entitlement IS 'What it is, as the catalogue calls it, such as blue-badge.';
COMMENT ON COLUMN reporting.entitlements.stage IS 'Where it is: granted (its term is not over, as far as was told), expired or ended.';
COMMENT ON COLUMN reporting.entitlements.granted_on IS 'The first day of its first term.';
COMMENT ON COLUMN reporting.entitlements.starts_on IS 'Since when it holds without a gap, or held last.';
COMMENT ON COLUMN reporting.entitlements.ends_on IS 'The last day of its last term.';
COMMENT ON COLUMN reporting.entitlements.ended_on IS 'The last day on which it held, where it was ended and had begun.';
COMMENT ON COLUMN reporting.entitlements.ended_because IS 'Why it was ended before its term; null otherwise.';
COMMENT ON COLUMN reporting.entitlements.renewed IS 'How often it was renewed.';
COMMENT ON COLUMN reporting.entitlements.renewed_late IS 'How often that was after it had ended.';

GRANT SELECT, INSERT ON reporting.entitlement_keys TO caseledger_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON reporting.entitlement_rows TO caseledger_projector;
GRANT SELECT ON reporting.entitlements TO caseledger_projector, caseledger_analyst;
