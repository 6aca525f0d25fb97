-- Prolongs a lease that is still held; no row where it has run out or changed hands.
-- Parameters: $1 text: name; $2 uuid: holder; $3 bigint: token; $4 double precision: for how long from now, in seconds
UPDATE ledger.leases
SET expires_at = clock_timestamp() + make_interval(secs => $4)
WHERE name = $1 AND holder = $2 AND token = $3 AND expires_at > clock_timestamp()
RETURNING token
