-- What is recorded stays: nobody updates, deletes or truncates, the owner and a superuser included.
--
-- A statement is refused whether or not it would touch a row. ALWAYS: the trigger also fires where replication's
-- setting (session_replication_role) switches ordinary ones off. A superuser can still take a trigger away; the checks
-- of an auditor find what is done then.

CREATE FUNCTION ledger.refuse_change()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: what is recorded stays', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Record what is true now as a new event.';
END
$$;

REVOKE ALL ON FUNCTION ledger.refuse_change FROM PUBLIC;

CREATE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.events
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.commands
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.commands ENABLE ALWAYS TRIGGER append_only;

-- The head moves forward only, and is always there.
CREATE TRIGGER stays
    BEFORE DELETE OR TRUNCATE ON ledger.head
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.head ENABLE ALWAYS TRIGGER stays;

CREATE TRIGGER forward_only
    BEFORE UPDATE ON ledger.head
    FOR EACH ROW WHEN (new.position < old.position OR new.recorded_at < old.recorded_at)
    EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.head ENABLE ALWAYS TRIGGER forward_only;
