-- Collections: how many were due on a day by round and kind, how far the round came, and how many were not made. What is missed is counted
-- against this.

CREATE TABLE reporting.round_rows (
    generation bigint NOT NULL,
    contractor text NOT NULL,
    round text NOT NULL,
    day date NOT NULL,
    status text,
    events bigint NOT NULL,
    PRIMARY KEY (generation, contractor, round, day)
);

CREATE TABLE reporting.collection_rows (
    generation bigint NOT NULL,
    contractor text NOT NULL,
    round text NOT NULL,
    day date NOT NULL,
    what text NOT NULL,
    scheduled bigint NOT NULL,
    not_collected bigint NOT NULL,
    PRIMARY KEY (generation, contractor, round, day, what)
);

CREATE VIEW reporting.collections AS
SELECT collected.contractor, collected.round, collected.day, collected.what, round.status, collected.scheduled, collected.not_collected
FROM reporting.collection_rows AS collected
JOIN reporting.round_rows AS round USING (generation, contractor, round, day)
WHERE collected.generation = (SELECT live.generation FROM reporting.checkpoints AS live WHERE live.projection = 'reporting');

COMMENT ON VIEW reporting.collections IS 'One row for each kind of collection of a round on a day: what missed collections are counted against.';
COMMENT ON COLUMN reporting.collections.contractor IS 'The client in whose name the contractor speaks.';
COMMENT ON COLUMN reporting.collections.round IS 'The round, such as TUE-3.';
COMMENT ON COLUMN reporting.collections.day IS 'The day, in London.';
COMMENT ON COLUMN reporting.collections.what IS 'What is collected, such as refuse.';
COMMENT ON COLUMN reporting.collections.status IS 'How far the round came: not_started, under_way, finished or broken_off; null where nobody said.';
COMMENT ON COLUMN reporting.collections.scheduled IS 'How many collections were due; 0 where the contractor did not say.';
COMMENT ON COLUMN reporting.collections.not_collected IS 'How many the crew said were not made, such as of bins that were not out.';

GRANT SELECT, INSERT, UPDATE, DELETE ON reporting.round_rows, reporting.collection_rows TO caseledger_projector;
GRANT SELECT ON reporting.collections TO caseledger_projector, caseledger_analyst;
