-- What falls due when, worked out from the log by whoever keeps the time. Emptied, it is worked out again from the first event.

CREATE TABLE ledger.timetable (
    stream uuid NOT NULL,
    clock text COLLATE "C" NOT NULL,
    mark text COLLATE "C" NOT NULL,
    due text COLLATE "C" NOT NULL,
    listed_at bigint NOT NULL,
    at timestamptz,
    PRIMARY KEY (stream, clock, mark)
);

-- What is due next?
CREATE INDEX timetable_by_instant ON ledger.timetable (at) WHERE at IS NOT NULL;

COMMENT ON TABLE ledger.timetable IS 'The running clocks of each case, and when what has to be said of them.';
COMMENT ON COLUMN ledger.timetable.mark IS 'What is to be said: approaching or overdue.';
COMMENT ON COLUMN ledger.timetable.due IS 'The day or instant that the clock is due by, as its event says it.';
COMMENT ON COLUMN ledger.timetable.listed_at IS 'The position of the event that says so.';
COMMENT ON COLUMN ledger.timetable.at IS 'From when on it is true; null of a clock that waits, and of what was said.';

CREATE TABLE ledger.timetable_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL DEFAULT 0,
    calendar_version text NOT NULL DEFAULT '',
    recomputed bigint NOT NULL DEFAULT 0
);

INSERT INTO ledger.timetable_head DEFAULT VALUES;

COMMENT ON TABLE ledger.timetable_head IS 'How far the timetable is.';
COMMENT ON COLUMN ledger.timetable_head.position IS 'The position of the log that it has taken in.';
COMMENT ON COLUMN ledger.timetable_head.calendar_version IS 'The bank holidays and rules that running clocks were last worked out with.';
COMMENT ON COLUMN ledger.timetable_head.recomputed IS 'How often running clocks were worked out anew, all of them.';

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.timetable TO caseledger_writer;
GRANT SELECT, UPDATE ON ledger.timetable_head TO caseledger_writer;
