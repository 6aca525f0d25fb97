-- Lets a lease go before its time. The row stays, so that the next token is a higher one.
-- Parameters: $1 text: name; $2 uuid: holder; $3 bigint: token
UPDATE ledger.leases
SET expires_at = clock_timestamp()
WHERE name = $1 AND holder = $2 AND token = $3 AND expires_at > clock_timestamp()
