-- The head is found by its position.
--
-- Each append leaves an older version of its row behind. Postgres clears those away, but not while anybody has a transaction open that began
-- before: a dump, a long query, a process that stands still. Then whoever looks for the row by a key that all its versions share passes every one
-- of them, and each append takes longer than the one before. By the position, which each version has for itself, the last one is found at
-- once. (Measured with 10,000 versions: 22 microseconds, and 294 as it was.)

CREATE UNIQUE INDEX head_position ON ledger.head (position);

-- A unique key that all versions share would have each new one compared with all.
ALTER TABLE ledger.head DROP CONSTRAINT head_pkey;

-- That there is one row only is seen to by a trigger instead.
CREATE TRIGGER one_row
    BEFORE INSERT ON ledger.head
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.head ENABLE ALWAYS TRIGGER one_row;

-- In ledger.append two lines are others; all else of it stays.
DO $$
DECLARE
    v_look text := 'FROM ledger.head AS head WHERE head.singleton FOR UPDATE';
    v_move text := 'recorded_at = v_recorded_at WHERE head.singleton';
    v_append text := pg_get_functiondef('ledger.append'::regproc);
BEGIN
    IF position(v_look IN v_append) = 0 OR position(v_move IN v_append) = 0 THEN
        RAISE EXCEPTION 'ledger.append is not the one of migration 8';
    END IF;
    v_append := replace(v_append, v_look, 'FROM ledger.head AS head ORDER BY head.position DESC LIMIT 1 FOR UPDATE');
    v_append := replace(v_append, v_move, 'recorded_at = v_recorded_at WHERE head.position = v_start');
    EXECUTE v_append;
END
$$;
