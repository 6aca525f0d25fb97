-- Who may do what with the log. Roles belong to the server, not to the database: another database's migration may
-- make them at this moment.

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['caseledger_writer', 'caseledger_relay', 'caseledger_feed', 'caseledger_auditor'] LOOP
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

GRANT USAGE ON SCHEMA ledger TO caseledger_writer, caseledger_relay, caseledger_feed, caseledger_auditor;

-- The command-service: it appends through the function and in no other way.
GRANT EXECUTE ON FUNCTION ledger.append TO caseledger_writer;
GRANT SELECT ON ledger.events, ledger.head, ledger.commands TO caseledger_writer;
GRANT USAGE ON SEQUENCE ledger.reference_numbers TO caseledger_writer;
GRANT SELECT, INSERT, UPDATE ON ledger.leases TO caseledger_writer;

-- The relay: it reads the log, one at a time.
GRANT SELECT ON ledger.events, ledger.head TO caseledger_relay;
GRANT SELECT, INSERT, UPDATE ON ledger.leases TO caseledger_relay;

-- Whoever follows the log.
GRANT SELECT ON ledger.events, ledger.head TO caseledger_feed;

-- An auditor reads everything that is recorded.
GRANT SELECT ON ledger.events, ledger.head, ledger.commands TO caseledger_auditor;
