-- What each contractor is told, in which place of its feed. It follows from the log alone: emptied, it is worked out again from the
-- first event, with the same places.

CREATE TABLE ledger.feeds (
    contractor text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 1),
    position bigint NOT NULL UNIQUE,
    PRIMARY KEY (contractor, sequence)
);

COMMENT ON TABLE ledger.feeds IS 'The messages of each contractor''s feed: which event, in which place.';
COMMENT ON COLUMN ledger.feeds.contractor IS 'The client in whose name the contractor speaks.';
COMMENT ON COLUMN ledger.feeds.sequence IS 'The place in the feed, from 1, without gaps.';
COMMENT ON COLUMN ledger.feeds.position IS 'The position of the event that the message follows from.';

CREATE TABLE ledger.feeds_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL DEFAULT 0
);

INSERT INTO ledger.feeds_head DEFAULT VALUES;

COMMENT ON TABLE ledger.feeds_head IS 'How far the feeds are.';
COMMENT ON COLUMN ledger.feeds_head.position IS 'The position of the log up to which the events have their places.';

GRANT SELECT, INSERT ON ledger.feeds TO caseledger_writer;
GRANT SELECT, UPDATE ON ledger.feeds_head TO caseledger_writer;
GRANT SELECT ON ledger.feeds TO caseledger_auditor;
