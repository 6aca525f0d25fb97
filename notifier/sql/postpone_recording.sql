-- Puts off recording a claimed delivery after an attempt without an answer.
-- Parameters: $1 bigint: position; $2 uuid: recipient; $3 text: medium; $4 timestamptz: when to try again;
--   $5 text: what stood in the way
UPDATE notifier.deliveries
SET record_attempts = record_attempts + 1, record_code = $5, next_attempt_at = $4
WHERE position = $1 AND recipient = $2 AND medium = $3
