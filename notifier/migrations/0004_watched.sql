-- How far the notifier is, for who says how far behind the log it is: the relay, which knows the log's end. Of people and notices
-- it sees nothing.

GRANT USAGE ON SCHEMA notifier TO caseledger_relay;
GRANT SELECT ON notifier.checkpoint TO caseledger_relay;
