-- Whether keys are still there is looked at before an append has the head lock, and need not be looked at again under it while nobody has
-- destroyed a key since. What is counted here says whether somebody has.

CREATE TABLE vault.destructions (
    times bigint NOT NULL CHECK (times >= 0)
);

INSERT INTO vault.destructions (times) VALUES (0);

-- The last version is found by its number, as the log's head is: while somebody has a transaction open, each erasure leaves older versions.
CREATE UNIQUE INDEX destructions_times ON vault.destructions (times);

COMMENT ON TABLE vault.destructions IS 'One row, counted up by whatever destroys keys or erases people. While it stands still, what was held is held.';

CREATE FUNCTION vault.count_destruction()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE vault.destructions SET times = times + 1;
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION vault.count_destruction FROM PUBLIC;

-- Triggers, so that no way to destroy a key can forget it. ALWAYS: also where replication's setting (session_replication_role) switches
-- ordinary triggers off.
CREATE TRIGGER counted
    AFTER DELETE OR TRUNCATE ON vault.keys
    FOR EACH STATEMENT EXECUTE FUNCTION vault.count_destruction();
ALTER TABLE vault.keys ENABLE ALWAYS TRIGGER counted;

CREATE TRIGGER counted
    AFTER INSERT OR UPDATE ON vault.erased_people
    FOR EACH STATEMENT EXECUTE FUNCTION vault.count_destruction();
ALTER TABLE vault.erased_people ENABLE ALWAYS TRIGGER counted;

CREATE TRIGGER one_row
    BEFORE INSERT OR DELETE OR TRUNCATE ON vault.destructions
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
ALTER TABLE vault.destructions ENABLE ALWAYS TRIGGER one_row;

-- What vault.destructions said when all these keys were held, of people who are not erased; null where one was not. It is what vault.admit
-- asks of keys that are used, in a moment before the head lock: `ledger.append` takes it for the truth under the lock where vault.destructions
-- says the same then. (A key's owner changes under the lock only, and vault.admit refuses one who is erased.)
--
-- One statement, so that the number and the keys are of one moment.
CREATE FUNCTION vault.held(p_key_id uuid[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
    RETURN (
        SELECT counted.times FROM vault.destructions AS counted
        WHERE NOT EXISTS (
            SELECT FROM generate_series(1, cardinality(p_key_id)) AS number
            WHERE (
                SELECT (SELECT true FROM vault.erased_people AS erased WHERE erased.person = held.person) IS NOT TRUE
                   AND (held.owner = held.person
                        OR (SELECT true FROM vault.erased_people AS erased WHERE erased.person = held.owner) IS NOT TRUE)
                FROM vault.keys AS held
                WHERE held.id = p_key_id[number]
            ) IS NOT TRUE
        )
        ORDER BY counted.times DESC
        LIMIT 1
    );
END
$$;

COMMENT ON FUNCTION vault.held IS 'Called by ledger.append before the head lock; returns the number in vault.destructions when all keys were held.';

REVOKE ALL ON FUNCTION vault.held FROM PUBLIC;
