-- Notes how the command that records a claimed delivery was answered. Nothing is left to do for it.
-- Parameters: $1 bigint: position; $2 uuid: recipient; $3 text: medium; $4 text: accepted or rejected;
--   $5 text: the code of the rejection, or null
UPDATE notifier.deliveries
SET recorded = $4, record_code = $5, record_attempts = record_attempts + 1, next_attempt_at = NULL
WHERE position = $1 AND recipient = $2 AND medium = $3
