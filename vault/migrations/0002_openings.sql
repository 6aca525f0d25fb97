-- Who read whose data, and why: one row before each opening for a reader.
--
-- Append-only for everybody, the owner and a superuser included, as the log is. It names no person, only a stream, so it
-- outlives an erasure and still answers who looked.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'caseledger_vault_auditor') THEN
        CREATE ROLE caseledger_vault_auditor NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

CREATE TABLE vault.openings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    officer text NOT NULL CHECK (officer ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$'),
    reason text NOT NULL CHECK (reason = btrim(reason) AND char_length(reason) BETWEEN 1 AND 500),
    stream uuid NOT NULL,
    fields int NOT NULL CHECK (fields >= 0),
    opened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who looked at this case?
CREATE INDEX openings_by_stream ON vault.openings (stream, opened_at);

COMMENT ON TABLE vault.openings IS 'Every reading of personal data by an officer, written before the data is opened. Append-only.';
COMMENT ON COLUMN vault.openings.officer IS 'Who reads, by the officer register.';
COMMENT ON COLUMN vault.openings.reason IS 'Why, in the officer''s words: the ground, not the person''s data, since it stands in clear and stays.';
COMMENT ON COLUMN vault.openings.stream IS 'The customer or case whose values are opened.';
COMMENT ON COLUMN vault.openings.fields IS 'How many sealed values are about to be opened; some may prove erased.';
COMMENT ON COLUMN vault.openings.opened_at IS 'When, by the reader''s clock.';
COMMENT ON COLUMN vault.openings.recorded_at IS 'When, by the database''s clock; the reader can''t choose it.';

CREATE FUNCTION vault.refuse_change()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: what is recorded stays', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

REVOKE ALL ON FUNCTION vault.refuse_change FROM PUBLIC;

-- ALWAYS: also where replication's setting (session_replication_role) switches ordinary triggers off.
CREATE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON vault.openings
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
ALTER TABLE vault.openings ENABLE ALWAYS TRIGGER append_only;

-- Whoever unseals records it, and can't choose number or time of the record.
GRANT SELECT ON vault.openings TO caseledger_vault;
GRANT INSERT (officer, reason, stream, fields, opened_at) ON vault.openings TO caseledger_vault;

-- Whoever checks the readers sees who read, and no key.
GRANT USAGE ON SCHEMA vault TO caseledger_vault_auditor;
GRANT SELECT ON vault.openings TO caseledger_vault_auditor;
