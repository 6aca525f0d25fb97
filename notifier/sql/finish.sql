-- Ends a claimed delivery: it was sent, has failed, or there is no address. It is due to be recorded at once.
-- Parameters: $1 bigint: position; $2 uuid: recipient; $3 text: medium; $4 text: state; $5 integer: attempts; $6 text: code,
--   or null; $7 timestamptz: now
UPDATE notifier.deliveries
SET state = $4, attempts = $5, last_code = $6, finished_at = $7, next_attempt_at = $7
WHERE position = $1 AND recipient = $2 AND medium = $3
