-- How far the projections are, for who says how far behind the log they are: the relay, which knows the log's end. Of the rows
-- it sees nothing.

GRANT USAGE ON SCHEMA history, reporting TO caseledger_relay;
GRANT SELECT ON history.checkpoints, reporting.checkpoints TO caseledger_relay;
