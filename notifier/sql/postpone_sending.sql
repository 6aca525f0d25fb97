-- Puts a claimed delivery off after an attempt that failed.
-- Parameters: $1 bigint: position; $2 uuid: recipient; $3 text: medium; $4 integer: attempts; $5 text: code;
--   $6 timestamptz: when to try again
UPDATE notifier.deliveries
SET attempts = $4, last_code = $5, next_attempt_at = $6
WHERE position = $1 AND recipient = $2 AND medium = $3
