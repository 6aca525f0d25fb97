-- ledger.append once more, with less of it under the head lock.
--
-- The log takes one append at a time, so what an append does between the lock and its commit bounds how many there can be. What can
-- be done before is done before, while another append has the lock:
--
-- - What becomes JSON comes as JSON: a text that is none is found when the parameters are read. (It took 6 of 42 microseconds
--   that a command was under the lock.)
-- - What a batch rests on is looked up first. An event that is there stays, so that what is found needs no second look; what is
--   not there yet is looked up again, since it may be in the append that has the lock. (7 microseconds.)
--
-- - Whether the keys that it uses are held is asked first, and again only where one was not, or a key was destroyed meanwhile. (14
--   microseconds.)
--
-- A command alone is looked at once, under the lock.
--
-- And a batch whose commands were all recorded is answered by one row.

DROP FUNCTION ledger.append;
DROP FUNCTION ledger.record;
DROP FUNCTION ledger.keys_admitted;
DROP FUNCTION ledger.versions_agree;

-- What a batch rests on, as far as it can be known before the lock.
--
-- Parameters, one element per command: p_aggregate_id, p_expected. One per event: p_event_command, the number of its
-- command, ascending.
--
-- Gives: chained, whether each command expects the version that the one before it of its stream leaves, in this batch;
-- not_there, numbers of the commands, first of their stream, whose stream has not so many events yet: theirs is too high a version,
-- unless somebody records what they rest on meanwhile;
-- without_events, numbers of the commands, first of their stream, that bring no event. Too low a version is found by the key of the events,
-- but not theirs.
CREATE FUNCTION ledger.rests_on(
    p_aggregate_id uuid[], p_expected bigint[], p_event_command int[],
    OUT chained boolean, OUT not_there int[], OUT without_events int[]
)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    SELECT bool_and(command.expected >= 0 AND command.expected IS NOT DISTINCT FROM coalesce(command.will_be, command.expected)),
           array_agg(command.number) FILTER (WHERE command.will_be IS NULL AND command.expected > 0 AND (
                SELECT true FROM ledger.events AS last
                WHERE last.aggregate_id = command.aggregate_id::text AND last.sequence = command.expected
           ) IS NOT TRUE),
           array_agg(command.number) FILTER (WHERE command.will_be IS NULL AND command.leaves = command.expected)
    INTO chained, not_there, without_events
    FROM (
        SELECT counted.*, lag(counted.leaves) OVER (PARTITION BY counted.aggregate_id ORDER BY counted.number) AS will_be
        FROM (
            SELECT number, p_aggregate_id[number] AS aggregate_id, p_expected[number] AS expected,
                   p_expected[number] + width_bucket(number, p_event_command) - width_bucket(number - 1, p_event_command) AS leaves
            FROM generate_series(1, cardinality(p_expected)) AS number
        ) AS counted
    ) AS command;
END
$$;

-- Whether what ledger.rests_on left open is so, under the lock.
CREATE FUNCTION ledger.still_rests(p_not_there int[], p_without_events int[], p_aggregate_id uuid[], p_expected bigint[])
RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF p_not_there IS NOT NULL THEN
        PERFORM FROM unnest(p_not_there) AS number
        WHERE (
            SELECT true FROM ledger.events AS last
            WHERE last.aggregate_id = p_aggregate_id[number]::text AND last.sequence = p_expected[number]
        ) IS NOT TRUE;
        IF FOUND THEN
            RETURN false;
        END IF;
    END IF;
    IF p_without_events IS NOT NULL THEN
        PERFORM FROM unnest(p_without_events) AS number
        WHERE (
            SELECT true FROM ledger.events AS later
            WHERE later.aggregate_id = p_aggregate_id[number]::text AND later.sequence = p_expected[number] + 1
        );
        IF FOUND THEN
            RETURN false;
        END IF;
    END IF;
    RETURN true;
END
$$;

-- Writes the commands p_from to p_to and their events behind the end of the log, without asking whether they may. The arrays are
-- read by subscript: an unnest of several keeps a store for each, which costs as much as recording a command.
--
-- Parameters: p_from and p_to, numbers of commands; p_position, the end of the log before them; p_recorded_at; then the
-- arrays of ledger.append, whole.
CREATE FUNCTION ledger.record(
    p_from int, p_to int, p_position bigint, p_recorded_at timestamptz,
    p_client text[], p_command_id uuid[], p_fingerprint bytea[], p_aggregate_type text[], p_aggregate_id uuid[],
    p_service text[], p_expected bigint[], p_reference text[], p_problem json[], p_external_system text[],
    p_external_id text[],
    p_event_command int[], p_event_id uuid[], p_event_type text[], p_event_version text[], p_payload json[],
    p_metadata json[], p_occurred_at timestamptz[]
)
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    -- width_bucket counts the events of the commands up to a number.
    v_before int := width_bucket(p_from - 1, p_event_command);
    v_through int := width_bucket(p_to, p_event_command);
    v_services text[];
    v_service_heads bigint[];
BEGIN
    SELECT array_agg(named.service), array_agg(coalesce((
        SELECT stored.service_position FROM ledger.events AS stored
        WHERE stored.service = named.service ORDER BY stored.position DESC LIMIT 1
    ), 0))
    INTO v_services, v_service_heads
    FROM (SELECT DISTINCT unnest(p_service[p_from:p_to]) AS service) AS named;

    INSERT INTO ledger.events (
        aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, position, service,
        service_position, event_id, command_id, client, recorded_at, occurred_at
    )
    SELECT p_aggregate_type[event.command],
           p_aggregate_id[event.command]::text,
           p_expected[event.command] + event.number - width_bucket(event.command - 1, p_event_command),
           p_event_type[event.number],
           p_event_version[event.number],
           p_payload[event.number],
           p_metadata[event.number],
           p_position + event.number - v_before,
           p_service[event.command],
           v_service_heads[array_position(v_services, p_service[event.command])]
               + row_number() OVER (PARTITION BY p_service[event.command] ORDER BY event.number),
           p_event_id[event.number],
           p_command_id[event.command],
           p_client[event.command],
           p_recorded_at,
           p_occurred_at[event.number]
    FROM (SELECT number, p_event_command[number] AS command FROM generate_series(v_before + 1, v_through) AS number) AS event;

    INSERT INTO ledger.commands (
        client, command_id, fingerprint, status, aggregate_id, reference, version, position, event_ids, problem,
        external_system, external_id, recorded_at
    )
    SELECT p_client[command.number],
           p_command_id[command.number],
           p_fingerprint[command.number],
           CASE WHEN p_problem[command.number] IS NULL THEN 'accepted' ELSE 'rejected' END,
           p_aggregate_id[command.number]::text,
           p_reference[command.number],
           p_expected[command.number] + command.through - command.before,
           p_position + command.through - v_before,
           p_event_id[command.before + 1:command.through],
           p_problem[command.number],
           p_external_system[command.number],
           p_external_id[command.number],
           p_recorded_at
    FROM (
        SELECT number,
               width_bucket(number - 1, p_event_command) AS before,
               width_bucket(number, p_event_command) AS through
        FROM generate_series(p_from, p_to) AS number
        -- A fence: what is counted here is counted once.
        OFFSET 0
    ) AS command;
END
$$;

-- Asks the vault about the keys of the commands p_from to p_to; false when any of them loses. Then nothing that the vault
-- wrote in this call may stay.
--
-- Parameters: p_from and p_to, numbers of commands; p_used_are_held, whether the keys that they use are known to be held; then those of vault.admit, whole, each group ascending by command.
CREATE FUNCTION ledger.keys_admitted(
    p_from int, p_to int, p_used_are_held boolean,
    p_key_command int[], p_key_id uuid[], p_key_person uuid[], p_key_stream uuid[], p_key_category text[],
    p_key_wrapped bytea[], p_key_wrapped_by text[],
    p_used_command int[], p_used_key_id uuid[],
    p_lookup_command int[], p_lookup_kind text[], p_lookup_hash bytea[], p_lookup_person uuid[],
    p_move_command int[], p_move_from uuid[], p_move_to uuid[], p_move_stream uuid[], p_move_person uuid[]
)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    k_from int := width_bucket(p_from - 1, p_key_command) + 1;
    k_to int := width_bucket(p_to, p_key_command);
    u_from int := width_bucket(p_from - 1, p_used_command) + 1;
    u_to int := CASE WHEN p_used_are_held THEN u_from - 1 ELSE width_bucket(p_to, p_used_command) END;
    l_from int := width_bucket(p_from - 1, p_lookup_command) + 1;
    l_to int := width_bucket(p_to, p_lookup_command);
    m_from int := width_bucket(p_from - 1, p_move_command) + 1;
    m_to int := width_bucket(p_to, p_move_command);
BEGIN
    IF k_from > k_to AND u_from > u_to AND l_from > l_to AND m_from > m_to THEN
        RETURN true;
    END IF;
    RETURN cardinality(vault.admit(
        p_key_command[k_from:k_to], p_key_id[k_from:k_to], p_key_person[k_from:k_to], p_key_stream[k_from:k_to],
        p_key_category[k_from:k_to], p_key_wrapped[k_from:k_to], p_key_wrapped_by[k_from:k_to],
        p_used_command[u_from:u_to], p_used_key_id[u_from:u_to],
        p_lookup_command[l_from:l_to], p_lookup_kind[l_from:l_to], p_lookup_hash[l_from:l_to], p_lookup_person[l_from:l_to],
        p_move_command[m_from:m_to], p_move_from[m_from:m_to], p_move_to[m_from:m_to], p_move_stream[m_from:m_to],
        p_move_person[m_from:m_to]
    )) = 0;
END
$$;

REVOKE ALL ON FUNCTION ledger.rests_on, ledger.still_rests, ledger.record, ledger.keys_admitted FROM PUBLIC;

-- Appends a batch of commands with their events; gives one row per command, in the order of the batch, or one for all.
--
-- Parameters, parallel arrays.
-- One element per command (its place is the command's number, from 1):
--   p_client, p_command_id    the idempotency key
--   p_fingerprint             keyed hash of what was asked, 32 bytes
--   p_aggregate_type, p_aggregate_id, p_service
--   p_expected                the stream's version that it was decided on
--   p_reference               the case's reference, or null
--   p_problem                 null: accepted; else the problem: rejected, without events, keys or external reference
--   p_external_system, p_external_id   the command as another system knows it, or null
-- One element per event, ascending by command:
--   p_event_command           the number of its command
--   p_event_id, p_event_type, p_event_version, p_payload, p_metadata, p_occurred_at
-- The keys: the parameters of vault.admit, each group ascending by command.
-- The places: the parameters of ledger.places_given.
--
-- The verdict is
--   all_appended         the only row: every command was recorded now, at `recorded_at`, their events from behind `position` on
--   appended             recorded now: `position` and `recorded_at` say where and when
--   repeated             recorded before: every column says how
--   reused               the id was used before for something else
--   conflict             the stream has another version, or rests on a command of this batch that lost
--   key                  a key is taken, gone, or of an erased person
--   place                a slot is full
--   external_ref_taken   another command has it: `aggregate_id` is its stream
--
-- A command without events, accepted or rejected, is recorded too and must expect the right version: it was decided on it.
-- `recorded_at` is the later of the clock and the last event's, so that time never runs back along the log.
CREATE FUNCTION ledger.append(
    p_client text[], p_command_id uuid[], p_fingerprint bytea[], p_aggregate_type text[], p_aggregate_id uuid[],
    p_service text[], p_expected bigint[], p_reference text[], p_problem json[], p_external_system text[],
    p_external_id text[],
    p_event_command int[], p_event_id uuid[], p_event_type text[], p_event_version text[], p_payload json[],
    p_metadata json[], p_occurred_at timestamptz[],
    p_key_command int[], p_key_id uuid[], p_key_person uuid[], p_key_stream uuid[], p_key_category text[],
    p_key_wrapped bytea[], p_key_wrapped_by text[],
    p_used_command int[], p_used_key_id uuid[],
    p_lookup_command int[], p_lookup_kind text[], p_lookup_hash bytea[], p_lookup_person uuid[],
    p_move_command int[], p_move_from uuid[], p_move_to uuid[], p_move_stream uuid[], p_move_person uuid[],
    p_place_command int[], p_slot text[], p_holder uuid[], p_most int[]
)
RETURNS TABLE (
    verdict text, "position" bigint, recorded_at timestamptz, status text, aggregate_id text, reference text, version bigint,
    event_ids uuid[], problem text
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
-- Every call is of the same kind: to plan a small batch takes longer than to record it.
SET plan_cache_mode = force_generic_plan
-- Somebody who holds the head for this long is stuck; the caller hears that nothing happened.
SET lock_timeout = '10s'
AS $$
#variable_conflict use_column
DECLARE
    v_count int := cardinality(p_command_id);
    v_start bigint;
    v_position bigint;
    v_recorded_at timestamptz;
    v_verdicts text[] := array_fill('appended'::text, ARRAY[v_count]);
    v_positions bigint[];
    v_together boolean;
    v_events int;
    v_chained boolean;
    v_not_there int[];
    v_without_events int[];
    v_destructions bigint;
    v_held boolean := false;
    -- Streams of commands that lost, and the version that each expected: what was built on their events loses too.
    v_lost_stream uuid[] := '{}';
    v_lost_expected bigint[] := '{}';
BEGIN
    IF v_count = 1 THEN
        -- Alone: to look twice takes longer than to look under the lock.
        v_chained := p_expected[1] >= 0;
        v_not_there := CASE WHEN p_expected[1] > 0 THEN '{1}'::int[] END;
        v_without_events := CASE WHEN cardinality(p_event_command) = 0 THEN '{1}'::int[] END;
    ELSE
        SELECT rests.chained, rests.not_there, rests.without_events INTO v_chained, v_not_there, v_without_events
        FROM ledger.rests_on(p_aggregate_id, p_expected, p_event_command) AS rests;
        IF cardinality(p_used_key_id) > 0 THEN
            v_destructions := vault.held(p_used_key_id);
        END IF;
    END IF;

    SELECT head.position, head.recorded_at INTO STRICT v_start, v_recorded_at
    FROM ledger.head AS head ORDER BY head.position DESC LIMIT 1 FOR UPDATE;
    v_position := v_start;
    v_recorded_at := greatest(clock_timestamp(), v_recorded_at);

    -- All at once.
    IF v_destructions IS NOT NULL THEN
        v_held := v_destructions = (
            SELECT counted.times FROM vault.destructions AS counted ORDER BY counted.times DESC LIMIT 1
        );
    END IF;
    v_together := v_chained AND ledger.still_rests(v_not_there, v_without_events, p_aggregate_id, p_expected);
    IF v_together THEN
        BEGIN
            PERFORM ledger.record(
                1, v_count, v_start, v_recorded_at,
                p_client, p_command_id, p_fingerprint, p_aggregate_type, p_aggregate_id, p_service, p_expected, p_reference,
                p_problem, p_external_system, p_external_id,
                p_event_command, p_event_id, p_event_type, p_event_version, p_payload, p_metadata, p_occurred_at
            );
            IF NOT ledger.keys_admitted(
                1, v_count, v_held,
                p_key_command, p_key_id, p_key_person, p_key_stream, p_key_category, p_key_wrapped, p_key_wrapped_by,
                p_used_command, p_used_key_id, p_lookup_command, p_lookup_kind, p_lookup_hash, p_lookup_person,
                p_move_command, p_move_from, p_move_to, p_move_stream, p_move_person
            ) THEN
                RAISE EXCEPTION USING ERRCODE = 'CL001', MESSAGE = 'a key was refused: undo what was tried';
            END IF;
            IF cardinality(p_place_command) > 0 AND NOT ledger.places_given(1, v_count, p_place_command, p_slot, p_holder, p_most)
            THEN
                RAISE EXCEPTION USING ERRCODE = 'CL002', MESSAGE = 'a slot is full: undo what was tried';
            END IF;
            v_position := v_start + cardinality(p_event_command);
        EXCEPTION WHEN unique_violation OR SQLSTATE 'CL001' OR SQLSTATE 'CL002' THEN
            v_together := false;
        END;
    END IF;

    -- One by one, in their order.
    IF NOT v_together THEN
        FOR i IN 1..v_count LOOP
            v_events := width_bucket(i, p_event_command) - width_bucket(i - 1, p_event_command);
            v_verdicts[i] := ledger.judge(
                p_client[i], p_command_id[i], p_fingerprint[i], p_aggregate_id[i], p_expected[i], p_external_system[i],
                p_external_id[i]
            );
            IF v_verdicts[i] IN ('appended', 'external_ref_taken') AND EXISTS (
                SELECT FROM unnest(v_lost_stream, v_lost_expected) AS lost (stream, expected)
                WHERE lost.stream = p_aggregate_id[i] AND lost.expected < p_expected[i]
            ) THEN
                v_verdicts[i] := 'conflict';
            END IF;

            IF v_verdicts[i] = 'appended' THEN
                BEGIN
                    IF NOT ledger.keys_admitted(
                        i, i, false,
                        p_key_command, p_key_id, p_key_person, p_key_stream, p_key_category, p_key_wrapped,
                        p_key_wrapped_by, p_used_command, p_used_key_id, p_lookup_command, p_lookup_kind, p_lookup_hash,
                        p_lookup_person, p_move_command, p_move_from, p_move_to, p_move_stream, p_move_person
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = 'CL001', MESSAGE = 'a key was refused: undo what was tried';
                    END IF;
                    IF NOT ledger.places_given(i, i, p_place_command, p_slot, p_holder, p_most) THEN
                        RAISE EXCEPTION USING ERRCODE = 'CL002', MESSAGE = 'a slot is full: undo what was tried';
                    END IF;
                EXCEPTION
                    WHEN SQLSTATE 'CL001' THEN
                        v_verdicts[i] := 'key';
                    WHEN SQLSTATE 'CL002' THEN
                        v_verdicts[i] := 'place';
                END;
            END IF;

            IF v_verdicts[i] = 'appended' THEN
                PERFORM ledger.record(
                    i, i, v_position, v_recorded_at,
                    p_client, p_command_id, p_fingerprint, p_aggregate_type, p_aggregate_id, p_service, p_expected,
                    p_reference, p_problem, p_external_system, p_external_id,
                    p_event_command, p_event_id, p_event_type, p_event_version, p_payload, p_metadata, p_occurred_at
                );
                v_position := v_position + v_events;
            ELSIF v_events > 0 THEN
                v_lost_stream := v_lost_stream || p_aggregate_id[i];
                v_lost_expected := v_lost_expected || p_expected[i];
            END IF;
            v_positions[i] := v_position;
        END LOOP;
    END IF;

    IF v_position > v_start THEN
        UPDATE ledger.head SET position = v_position, recorded_at = v_recorded_at WHERE head.position = v_start;
        PERFORM pg_notify('caseledger_head', v_position::text);
    END IF;

    IF v_together THEN
        RETURN QUERY
        SELECT 'all_appended'::text, v_start, v_recorded_at, NULL::text, NULL::text, NULL::text, NULL::bigint, NULL::uuid[],
               NULL::text;
        RETURN;
    END IF;

    RETURN QUERY
    SELECT v_verdicts[command.number],
           coalesce(before.position, v_positions[command.number]),
           coalesce(before.recorded_at, v_recorded_at),
           before.status,
           before.aggregate_id,
           before.reference,
           before.version,
           before.event_ids,
           before.problem::text
    FROM generate_series(1, v_count) AS command (number)
    LEFT JOIN LATERAL (
        SELECT recorded.*
        FROM ledger.commands AS recorded
        WHERE v_verdicts[command.number] = 'repeated'
          AND recorded.client = p_client[command.number] AND recorded.command_id = p_command_id[command.number]
        UNION ALL
        SELECT recorded.*
        FROM ledger.commands AS recorded
        WHERE v_verdicts[command.number] = 'external_ref_taken'
          AND recorded.external_system = p_external_system[command.number]
          AND recorded.external_id = p_external_id[command.number]
    ) AS before ON true
    ORDER BY command.number;
END
$$;

COMMENT ON FUNCTION ledger.append IS 'The only way into the log: appends a batch of commands and gives a verdict on each.';

REVOKE ALL ON FUNCTION ledger.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.append TO caseledger_writer;
