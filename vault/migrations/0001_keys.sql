-- The vault: wrapped keys, tombstones and look-up hashes.
--
-- Nothing here is readable by itself: keys are wrapped by a key-encryption key that is not in the database, and look-up
-- hashes are keyed. Rows are written only by `vault.admit`, under the head lock of the ledger, and destroyed only by
-- `vault.erase`, under the same lock; so no command can be recorded under a key that is being destroyed.

-- Roles belong to the server, not to the database: another database's migration may make them at this moment.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['caseledger_vault', 'caseledger_vault_keeper'] LOOP
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

CREATE TABLE vault.keys (
    id uuid PRIMARY KEY,
    owner uuid,
    owner_before uuid,
    person uuid,
    stream uuid NOT NULL,
    category text NOT NULL CHECK (category IN ('personal', 'special_category')),
    wrapped bytea NOT NULL,
    wrapped_by text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT one_key_per_place UNIQUE NULLS NOT DISTINCT (stream, category, person)
);

-- Erasure finds a person's keys by their owner.
CREATE INDEX keys_by_owner ON vault.keys (owner) WHERE owner IS NOT NULL;

COMMENT ON TABLE vault.keys IS 'One key per person, stream and category. Sealed values name it by id; to destroy the row is to erase them.';
COMMENT ON COLUMN vault.keys.owner IS 'Whose data it seals now; a move or merge of people changes it. Null where the case has no customer.';
COMMENT ON COLUMN vault.keys.owner_before IS 'Who owned it before two records were merged: it goes back to them where the records are parted.';
COMMENT ON COLUMN vault.keys.person IS 'For whom it was made, as its sealed values say; never changes.';
COMMENT ON COLUMN vault.keys.stream IS 'The customer or case whose events it seals.';
COMMENT ON COLUMN vault.keys.wrapped IS 'The key, encrypted with the key-encryption key and bound to id, person, stream and category.';
COMMENT ON COLUMN vault.keys.wrapped_by IS 'The id of the key-encryption key that wrapped it.';

CREATE TABLE vault.erased_people (
    person uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL,
    reason_code text NOT NULL CHECK (reason_code ~ '^[a-z][a-z_]{0,47}$')
);

COMMENT ON TABLE vault.erased_people IS 'Tombstones: no key is made for these people in any stream.';
COMMENT ON COLUMN vault.erased_people.reason_code IS 'The ground for erasing, as a code: free text could name the person again.';

CREATE TABLE vault.lookups (
    person uuid NOT NULL,
    kind text NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (person, kind)
);

CREATE INDEX lookups_by_hash ON vault.lookups (kind, hash);

COMMENT ON TABLE vault.lookups IS 'Keyed hashes by which a person is found from an email address, a phone number or a postcode.';

-- Who owns what is sealed for a person: the person, or whom they were found to be the same as.
CREATE FUNCTION vault.owner_of(p_person uuid)
RETURNS uuid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT own.owner FROM vault.keys AS own WHERE own.stream = p_person AND own.person = p_person AND own.category = 'personal'),
        p_person
    )
$$;

-- Admits what the commands of one append ask of the vault. `ledger.append` calls it while it holds the head lock; nothing
-- else may, since two callers at once could both find a place free.
--
-- Parameters, parallel arrays; a command is named by its number in the append:
--   p_command, p_key_id, p_person, p_stream, p_category, p_wrapped, p_wrapped_by   one element per key brought
--   p_used_command, p_used_key_id                                                 one element per stored key used
--   p_lookup_command, p_lookup_kind, p_lookup_hash, p_lookup_person               one element per look-up hash; a null hash
--                                                                                 takes the person's hash of that kind away
--   p_move_command, p_move_from, p_move_to, p_move_stream, p_move_person          one element per change of owner:
--                                                                                 with a stream, its keys that p_move_from owns
--                                                                                 (null: nobody) are p_move_to's; with a person,
--                                                                                 what was theirs before they were merged into
--                                                                                 p_move_from, or was made for them since, is
--                                                                                 theirs again; with neither, everything of
--                                                                                 p_move_from is p_move_to's: they are merged
--
-- Returns the numbers of the commands that lose, ascending: a key used is not stored, a place is taken by another key, or
-- the person of a key or look-up, or the new owner of some, is erased. Nothing of a loser is stored. Of two commands of one call that want the same
-- place the first wins, also where the first then loses for another reason found in this call; the second is refused and
-- finds the truth when it begins again.
--
-- Volatile, so that each statement sees what was committed before the head lock was granted. The planner is held to the
-- indexes: a plan made and cached while the tables are nearly empty would scan them whole as they grow.
CREATE FUNCTION vault.admit(
    p_command int[], p_key_id uuid[], p_person uuid[], p_stream uuid[], p_category text[], p_wrapped bytea[],
    p_wrapped_by text[],
    p_used_command int[], p_used_key_id uuid[],
    p_lookup_command int[], p_lookup_kind text[], p_lookup_hash bytea[], p_lookup_person uuid[],
    p_move_command int[], p_move_from uuid[], p_move_to uuid[], p_move_stream uuid[], p_move_person uuid[]
)
RETURNS int[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
    v_losers int[] := '{}';
    v_more int[];
BEGIN
    IF cardinality(p_used_command) > 0 THEN
        SELECT coalesce(array_agg(DISTINCT used.command), '{}') INTO v_more
        FROM unnest(p_used_command, p_used_key_id) AS used (command, id)
        WHERE NOT EXISTS (
            SELECT FROM vault.keys AS held
            WHERE held.id = used.id
              AND NOT EXISTS (SELECT FROM vault.erased_people AS erased WHERE erased.person = held.person)
              AND NOT EXISTS (SELECT FROM vault.erased_people AS erased WHERE erased.person = held.owner)
        );
        v_losers := v_losers || v_more;
    END IF;

    IF cardinality(p_command) > 0 THEN
        -- Against what is stored. The same key at the same place is no rival: it is this command's own, come again.
        SELECT coalesce(array_agg(DISTINCT brought.command), '{}') INTO v_more
        FROM unnest(p_command, p_key_id, p_person, p_stream, p_category) AS brought (command, id, person, stream, category)
        WHERE EXISTS (SELECT FROM vault.erased_people AS erased WHERE erased.person = brought.person)
           OR EXISTS (
                SELECT FROM vault.keys AS held
                WHERE held.stream = brought.stream
                  AND held.category = brought.category
                  AND held.person IS NOT DISTINCT FROM brought.person
                  AND held.id <> brought.id
           )
           OR EXISTS (
                SELECT FROM vault.keys AS held
                WHERE held.id = brought.id
                  AND (held.stream, held.category, held.person)
                      IS DISTINCT FROM (brought.stream, brought.category, brought.person)
           );
        v_losers := v_losers || v_more;
    END IF;

    IF cardinality(p_lookup_command) > 0 THEN
        SELECT coalesce(array_agg(DISTINCT lookup.command), '{}') INTO v_more
        FROM unnest(p_lookup_command, p_lookup_person) AS lookup (command, person)
        WHERE EXISTS (SELECT FROM vault.erased_people AS erased WHERE erased.person = lookup.person);
        v_losers := v_losers || v_more;
    END IF;

    IF cardinality(p_move_command) > 0 THEN
        SELECT coalesce(array_agg(DISTINCT move.command), '{}') INTO v_more
        FROM unnest(p_move_command, p_move_to) AS move (command, owner)
        WHERE EXISTS (SELECT FROM vault.erased_people AS erased WHERE erased.person = move.owner);
        v_losers := v_losers || v_more;
    END IF;

    IF cardinality(p_command) > 0 THEN
        -- Against each other: whoever is not the first at a place, or with an id, loses.
        SELECT coalesce(array_agg(DISTINCT ranked.command), '{}') INTO v_more
        FROM (
            SELECT brought.command,
                   row_number() OVER (
                       PARTITION BY brought.stream, brought.category, brought.person
                       ORDER BY brought.command, brought.nth
                   ) AS place_rank,
                   row_number() OVER (PARTITION BY brought.id ORDER BY brought.command, brought.nth) AS id_rank
            FROM unnest(p_command, p_key_id, p_person, p_stream, p_category)
                WITH ORDINALITY AS brought (command, id, person, stream, category, nth)
            WHERE brought.command <> ALL (v_losers)
        ) AS ranked
        WHERE ranked.place_rank > 1 OR ranked.id_rank > 1;
        v_losers := v_losers || v_more;

        -- Whoever owns a person's own stream owns what is sealed for them from then on: they were found to be one person.
        INSERT INTO vault.keys (id, owner, person, stream, category, wrapped, wrapped_by, created_at)
        SELECT brought.id,
               vault.owner_of(brought.person),
               brought.person, brought.stream, brought.category, brought.wrapped,
               brought.wrapped_by, clock_timestamp()
        FROM unnest(p_command, p_key_id, p_person, p_stream, p_category, p_wrapped, p_wrapped_by)
            AS brought (command, id, person, stream, category, wrapped, wrapped_by)
        WHERE brought.command <> ALL (v_losers)
        ON CONFLICT (id) DO NOTHING;
    END IF;

    IF cardinality(p_lookup_command) > 0 THEN
        -- The last word on a person and kind counts.
        WITH latest AS MATERIALIZED (
            SELECT DISTINCT ON (lookup.person, lookup.kind) lookup.person, lookup.kind, lookup.hash
            FROM unnest(p_lookup_command, p_lookup_kind, p_lookup_hash, p_lookup_person)
                WITH ORDINALITY AS lookup (command, kind, hash, person, nth)
            WHERE lookup.command <> ALL (v_losers)
            ORDER BY lookup.person, lookup.kind, lookup.command DESC, lookup.nth DESC
        ), taken_away AS (
            DELETE FROM vault.lookups AS held
            USING latest
            WHERE held.person = latest.person AND held.kind = latest.kind AND latest.hash IS NULL
        )
        INSERT INTO vault.lookups (person, kind, hash)
        SELECT latest.person, latest.kind, latest.hash FROM latest WHERE latest.hash IS NOT NULL
        ON CONFLICT (person, kind) DO UPDATE SET hash = excluded.hash;
    END IF;

    FOR i IN 1..cardinality(p_move_command) LOOP
        CONTINUE WHEN p_move_command[i] = ANY (v_losers);
        IF p_move_stream[i] IS NOT NULL THEN
            UPDATE vault.keys AS held
            SET owner = vault.owner_of(p_move_to[i]), owner_before = NULL
            WHERE held.stream = p_move_stream[i]
              AND held.owner IS NOT DISTINCT FROM vault.owner_of(p_move_from[i]);
        ELSIF p_move_person[i] IS NOT NULL THEN
            UPDATE vault.keys AS held
            SET owner = p_move_to[i], owner_before = NULL
            WHERE held.owner = p_move_from[i]
              AND (held.owner_before = p_move_person[i] OR held.person = p_move_person[i]);
        ELSE
            UPDATE vault.keys AS held
            SET owner = p_move_to[i], owner_before = p_move_from[i]
            WHERE held.owner = p_move_from[i];
        END IF;
    END LOOP;

    RETURN ARRAY(SELECT DISTINCT loser FROM unnest(v_losers) AS loser ORDER BY loser);
END
$$;

COMMENT ON FUNCTION vault.admit IS 'Called by ledger.append under the head lock; returns the commands whose keys are refused.';

-- Erases a person: destroys the keys they own and their look-up hashes, and leaves a tombstone, which stays as it was
-- when the person is erased again. Returns how many keys it destroyed.
--
-- Parameters: p_person, whom; p_reason_code, the ground as a code.
--
-- It takes the head lock first, as every append does: an append that was admitted before is recorded before, one that
-- comes after finds the tombstone, and the two can't wait for each other. (The ledger is migrated after the vault; the
-- name is looked up when the function runs.)
--
-- The deleted rows' bytes stay in the table's file until it is vacuumed and in backups until those expire. They are
-- wrapped there too; the key-encryption key must never be kept beside a backup.
CREATE FUNCTION vault.erase(p_person uuid, p_reason_code text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Somebody who holds the head for this long is stuck; the caller hears that nothing happened.
SET lock_timeout = '10s'
AS $$
DECLARE
    v_destroyed bigint;
    v_owner uuid;
BEGIN
    PERFORM 1 FROM ledger.head FOR UPDATE;

    -- With everybody whom they were found to be the same person as, whichever of the records is named.
    v_owner := vault.owner_of(p_person);
    INSERT INTO vault.erased_people (person, erased_at, reason_code)
    SELECT same.person, clock_timestamp(), p_reason_code
    FROM (
        SELECT p_person AS person
        UNION
        SELECT v_owner
        UNION
        SELECT own.person FROM vault.keys AS own WHERE own.owner = v_owner AND own.stream = own.person
    ) AS same
    ON CONFLICT (person) DO NOTHING;

    DELETE FROM vault.lookups
    WHERE person IN (p_person, v_owner)
       OR person IN (SELECT own.person FROM vault.keys AS own WHERE own.owner = v_owner AND own.stream = own.person);
    DELETE FROM vault.keys WHERE owner = v_owner;
    GET DIAGNOSTICS v_destroyed = ROW_COUNT;
    RETURN v_destroyed;
END
$$;

COMMENT ON FUNCTION vault.erase IS 'Destroys what makes a person''s data readable, and leaves a tombstone.';

-- A function is open to everybody until that is taken away; `ledger.append` runs as the owner of both.
REVOKE ALL ON FUNCTION vault.owner_of FROM PUBLIC;
REVOKE ALL ON FUNCTION vault.admit FROM PUBLIC;
REVOKE ALL ON FUNCTION vault.erase FROM PUBLIC;

GRANT USAGE ON SCHEMA vault TO caseledger_vault, caseledger_vault_keeper;
GRANT SELECT ON vault.keys, vault.erased_people, vault.lookups TO caseledger_vault;
GRANT EXECUTE ON FUNCTION vault.erase TO caseledger_vault_keeper;
