-- Who alone may do something for a while: relay the log to the bus, pull durable commands.
--
-- A lease is a row that is never deleted, so that its token only grows. Time is the database's: the clocks of the
-- processes that compete don't matter.

CREATE TABLE ledger.leases (
    name text COLLATE "C" PRIMARY KEY,
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    token bigint NOT NULL CHECK (token >= 1)
) WITH (fillfactor = 50);

COMMENT ON TABLE ledger.leases IS 'Who alone may do something for a while; expires by the database''s clock.';
COMMENT ON COLUMN ledger.leases.holder IS 'One running process, not a machine: a new one for every start.';
COMMENT ON COLUMN ledger.leases.token IS 'Grows each time the lease changes hands: a fence against holders that were paused.';
