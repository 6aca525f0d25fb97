-- Who holds a place in a slot that has only so many: an appointment's hour, a day of collections. It follows from the log: each place
-- was taken, and given back, by an event that was appended with it.

CREATE TABLE ledger.places (
    slot text COLLATE "C" NOT NULL,
    holder uuid NOT NULL,
    PRIMARY KEY (slot, holder)
);

COMMENT ON TABLE ledger.places IS 'The places of slots that are taken. Written by ledger.append alone, under the head lock: no slot is sold twice.';
COMMENT ON COLUMN ledger.places.slot IS 'The slot: calendar, day and time.';
COMMENT ON COLUMN ledger.places.holder IS 'The case whose place it is.';

GRANT SELECT ON ledger.places TO caseledger_writer, caseledger_auditor;

-- Gives back and takes the places that the commands p_from to p_to ask for; false where a slot is full, or the holder has a place in it.
-- Then nothing that was written in this call may stay.
--
-- Parameters: p_from and p_to, numbers of commands; p_place_command, p_slot, p_holder and p_most, one element a place, ascending by
-- command: how many the slot has at most, or null where the place is given back.
CREATE FUNCTION ledger.places_given(p_from int, p_to int, p_place_command int[], p_slot text[], p_holder uuid[], p_most int[])
RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    f int := width_bucket(p_from - 1, p_place_command) + 1;
    t int := width_bucket(p_to, p_place_command);
BEGIN
    FOR i IN f..t LOOP
        IF p_most[i] IS NULL THEN
            DELETE FROM ledger.places AS held WHERE held.slot = p_slot[i] AND held.holder = p_holder[i];
        ELSE
            INSERT INTO ledger.places (slot, holder)
            SELECT p_slot[i], p_holder[i]
            WHERE (SELECT count(*) FROM ledger.places AS held WHERE held.slot = p_slot[i]) < p_most[i]
            ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN
                RETURN false;
            END IF;
        END IF;
    END LOOP;
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION ledger.places_given FROM PUBLIC;

-- ledger.append once more, with places. What ran before stays as it ran: the function of before goes, and this one comes.
DROP FUNCTION ledger.append;

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
-- The places: the parameters of ledger.places_given.
--
-- The verdict is
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
    p_service text[], p_expected bigint[], p_reference text[], p_problem text[], p_external_system text[],
    p_external_id text[],
    p_event_command int[], p_event_id uuid[], p_event_type text[], p_event_version text[], p_payload text[],
    p_metadata text[], p_occurred_at timestamptz[],
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
                        i, i,
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

REVOKE ALL ON FUNCTION ledger.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.append TO caseledger_writer;
