-- The append: one call takes a batch of commands with their events and gives a verdict on each.
--
-- Shape: lock the head, so that appends take turns and position is commit order. Then try to record the whole batch at
-- once, looking up only what no unique key would find; if any command of it loses, undo that and take the commands one by
-- one in their order. A loser never touches its neighbours. Cost of the first way: one index probe per stream that exists
-- already. What bounds a batch is the caller's affair.
--
-- A check in the statement that takes the lock would read what was there before it waited. Each statement of a volatile
-- plpgsql function sees what was committed before that statement, so these checks come after the lock and are true.
--
-- The planner is held to the indexes (enable_seqscan, jit): a plan that was made and cached while the tables were nearly
-- empty would scan them whole as they grow. For the same reason what is looked up by key stands in scalar subqueries, not in
-- EXISTS: under OR the planner may hash those, and read the whole table for it.

-- Whether each command expects the version that its stream will have when its turn comes, given that the commands before
-- it in the batch are recorded. A version that is too low for a stream that gets events here is not looked for: the
-- events' primary key finds it.
--
-- Parameters, one element per command: p_aggregate_id, p_expected. One per event: p_event_command, the number of its
-- command, ascending.
CREATE FUNCTION ledger.versions_agree(p_aggregate_id uuid[], p_expected bigint[], p_event_command int[])
RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    -- The usual batch: each command to another stream, and each with an event. Then only what is too high needs a look.
    IF (
        SELECT count(DISTINCT given.stream) = cardinality(p_aggregate_id)
           AND count(DISTINCT given.command) = cardinality(p_aggregate_id)
        FROM unnest(p_aggregate_id, p_event_command) AS given (stream, command)
    ) THEN
        RETURN NOT EXISTS (
            SELECT FROM generate_series(1, cardinality(p_expected)) AS number
            WHERE p_expected[number] < 0
               OR (p_expected[number] > 0 AND (
                    SELECT true FROM ledger.events AS last
                    WHERE last.aggregate_id = p_aggregate_id[number]::text AND last.sequence = p_expected[number]
               ) IS NOT TRUE)
        );
    END IF;

    RETURN NOT EXISTS (
        SELECT FROM (
            SELECT expecting.aggregate_id::text AS aggregate_id,
                   expecting.expected,
                   row_number() OVER in_turn = 1 AS is_first,
                   first_value(expecting.expected) OVER in_turn
                       + sum(expecting.events) OVER in_turn - expecting.events AS will_be,
                   sum(expecting.events) OVER (PARTITION BY expecting.aggregate_id) AS events_of_stream
            FROM (
                SELECT command.aggregate_id, command.expected, command.number,
                       width_bucket(command.number::int, p_event_command)
                           - width_bucket(command.number::int - 1, p_event_command) AS events
                FROM unnest(p_aggregate_id, p_expected) WITH ORDINALITY AS command (aggregate_id, expected, number)
            ) AS expecting
            WINDOW in_turn AS (
                PARTITION BY expecting.aggregate_id ORDER BY expecting.number
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            )
        ) AS command
        WHERE command.expected < 0
           OR command.expected <> command.will_be
           -- Too high: the event it rests on is not there.
           OR (command.is_first AND command.expected > 0 AND (
                SELECT true FROM ledger.events AS last
                WHERE last.aggregate_id = command.aggregate_id AND last.sequence = command.expected
           ) IS NOT TRUE)
           -- Too low, and no event of this batch that would collide.
           OR (command.is_first AND command.events_of_stream = 0 AND (
                SELECT true FROM ledger.events AS later
                WHERE later.aggregate_id = command.aggregate_id AND later.sequence = command.expected + 1
           ))
    );
END
$$;

-- What one command deserves, its keys aside: `repeated`, `reused`, `conflict`, `external_ref_taken`, or `appended` when
-- nothing stands against it. A repeat is looked for first: it is answered as it was, whatever came after it.
--
-- Parameters: one command's; p_external_system and p_external_id null where it has no external reference.
CREATE FUNCTION ledger.judge(
    p_client text, p_command_id uuid, p_fingerprint bytea, p_aggregate_id uuid, p_expected bigint, p_external_system text,
    p_external_id text
)
RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    v_fingerprint bytea;
    v_version bigint;
BEGIN
    SELECT recorded.fingerprint INTO v_fingerprint
    FROM ledger.commands AS recorded
    WHERE recorded.client = p_client AND recorded.command_id = p_command_id;
    IF FOUND THEN
        RETURN CASE WHEN v_fingerprint = p_fingerprint THEN 'repeated' ELSE 'reused' END;
    END IF;

    SELECT coalesce(max(stored.sequence), 0) INTO v_version
    FROM ledger.events AS stored
    WHERE stored.aggregate_id = p_aggregate_id::text;
    IF v_version <> p_expected THEN
        RETURN 'conflict';
    END IF;

    PERFORM FROM ledger.commands AS recorded
    WHERE recorded.external_system = p_external_system AND recorded.external_id = p_external_id;
    IF FOUND THEN
        RETURN 'external_ref_taken';
    END IF;

    RETURN 'appended';
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
    p_service text[], p_expected bigint[], p_reference text[], p_problem text[], p_external_system text[],
    p_external_id text[],
    p_event_command int[], p_event_id uuid[], p_event_type text[], p_event_version text[], p_payload text[],
    p_metadata text[], p_occurred_at timestamptz[]
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
           p_payload[event.number]::json,
           p_metadata[event.number]::json,
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
           p_problem[command.number]::json,
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
-- Parameters: p_from and p_to, numbers of commands; then those of vault.admit, whole, each group ascending by command.
CREATE FUNCTION ledger.keys_admitted(
    p_from int, p_to int,
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
    u_to int := width_bucket(p_to, p_used_command);
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

-- Appends a batch of commands with their events; gives one row per command, in the order of the batch.
--
-- Parameters, parallel arrays.
-- One element per command (its place is the command's number, from 1):
--   p_client, p_command_id    the idempotency key
--   p_fingerprint             keyed hash of what was asked, 32 bytes
--   p_aggregate_type, p_aggregate_id, p_service
--   p_expected                the stream's version that it was decided on
--   p_reference               the case's reference, or null
--   p_problem                 null: accepted; else the problem's JSON text: rejected, without events, keys or external reference
--   p_external_system, p_external_id   the command as another system knows it, or null
-- One element per event, ascending by command:
--   p_event_command           the number of its command
--   p_event_id, p_event_type, p_event_version, p_payload, p_metadata, p_occurred_at
-- The keys: the parameters of vault.admit, each group ascending by command.
--
-- The verdict is
--   appended             recorded now: `position` and `recorded_at` say where and when
--   repeated             recorded before: every column says how
--   reused               the id was used before for something else
--   conflict             the stream has another version, or rests on a command of this batch that lost
--   key                  a key is taken, gone, or of an erased person
--   external_ref_taken   another command has it: `aggregate_id` is its stream
--
-- A command without events, accepted or rejected, is recorded too and must expect the right version: it was decided on it.
-- `recorded_at` is the later of the clock and the last event's, so that time never runs back along the log.
CREATE FUNCTION ledger.append(
    p_client text[], p_command_id uuid[], p_fingerprint bytea[], p_aggregate_type text[], p_aggregate_id uuid[],
    p_service text[], p_expected bigint[], p_reference text[], p_problem text[], p_external_system text[],
    p_external_id text[],
    p_event_command int[], p_event_id uuid[], p_event_type text[], p_event_version text[], p_payload text[],
    p_metadata text[], p_occurred_at timestamptz[],
    p_key_command int[], p_key_id uuid[], p_key_person uuid[], p_key_stream uuid[], p_key_category text[],
    p_key_wrapped bytea[], p_key_wrapped_by text[],
    p_used_command int[], p_used_key_id uuid[],
    p_lookup_command int[], p_lookup_kind text[], p_lookup_hash bytea[], p_lookup_person uuid[],
    p_move_command int[], p_move_from uuid[], p_move_to uuid[], p_move_stream uuid[], p_move_person uuid[]
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
    -- Streams of commands that lost, and the version that each expected: what was built on their events loses too.
    v_lost_stream uuid[] := '{}';
    v_lost_expected bigint[] := '{}';
BEGIN
    SELECT head.position, head.recorded_at INTO STRICT v_start, v_recorded_at
    FROM ledger.head AS head WHERE head.singleton FOR UPDATE;
    v_position := v_start;
    v_recorded_at := greatest(clock_timestamp(), v_recorded_at);

    -- All at once.
    v_together := ledger.versions_agree(p_aggregate_id, p_expected, p_event_command);
    IF v_together THEN
        BEGIN
            PERFORM ledger.record(
                1, v_count, v_start, v_recorded_at,
                p_client, p_command_id, p_fingerprint, p_aggregate_type, p_aggregate_id, p_service, p_expected, p_reference,
                p_problem, p_external_system, p_external_id,
                p_event_command, p_event_id, p_event_type, p_event_version, p_payload, p_metadata, p_occurred_at
            );
            IF NOT ledger.keys_admitted(
                1, v_count,
                p_key_command, p_key_id, p_key_person, p_key_stream, p_key_category, p_key_wrapped, p_key_wrapped_by,
                p_used_command, p_used_key_id, p_lookup_command, p_lookup_kind, p_lookup_hash, p_lookup_person,
                p_move_command, p_move_from, p_move_to, p_move_stream, p_move_person
            ) THEN
                RAISE EXCEPTION USING ERRCODE = 'CL001', MESSAGE = 'a key was refused: undo what was tried';
            END IF;
            v_position := v_start + cardinality(p_event_command);
        EXCEPTION WHEN unique_violation OR SQLSTATE 'CL001' THEN
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
                        i, i,
                        p_key_command, p_key_id, p_key_person, p_key_stream, p_key_category, p_key_wrapped,
                        p_key_wrapped_by, p_used_command, p_used_key_id, p_lookup_command, p_lookup_kind, p_lookup_hash,
                        p_lookup_person, p_move_command, p_move_from, p_move_to, p_move_stream, p_move_person
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = 'CL001', MESSAGE = 'a key was refused: undo what was tried';
                    END IF;
                EXCEPTION WHEN SQLSTATE 'CL001' THEN
                    v_verdicts[i] := 'key';
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
        UPDATE ledger.head SET position = v_position, recorded_at = v_recorded_at WHERE head.singleton;
        PERFORM pg_notify('caseledger_head', v_position::text);
    END IF;

    IF v_together THEN
        RETURN QUERY
        SELECT 'appended'::text, v_start + width_bucket(number, p_event_command), v_recorded_at, NULL::text, NULL::text,
               NULL::text, NULL::bigint, NULL::uuid[], NULL::text
        FROM generate_series(1, v_count) AS number
        ORDER BY number;
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

-- A function is open to everybody until that is taken away. The parts run inside ledger.append, with its rights and settings.
REVOKE ALL ON FUNCTION ledger.versions_agree, ledger.judge, ledger.record, ledger.keys_admitted, ledger.append FROM PUBLIC;
