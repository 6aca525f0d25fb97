-- Takes a lease that nobody holds any more; no row where somebody does. A holder that comes back early waits too: what it
-- did under its old token may still be on its way.
-- Parameters: $1 text: name; $2 uuid: holder; $3 double precision: for how long, in seconds
INSERT INTO ledger.leases AS held (name, holder, expires_at, token)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3), 1)
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder,
    expires_at = clock_timestamp() + make_interval(secs => $3),
    token = held.token + 1
WHERE held.expires_at <= clock_timestamp()
RETURNING token
