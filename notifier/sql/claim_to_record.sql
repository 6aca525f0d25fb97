-- Claims the finished delivery that has been due for longest to be recorded, until the transaction ends. Another notifier
-- skips it.
-- Parameters: $1 timestamptz: now
SELECT position, recipient, medium, event_id, correlation_id, traceparent, case_id, reference, request_type, notice, occurred_at, outcome,
       decided_by_officer, reasons, answer_by, exemptions, corrected_to, received_on, calendar, slot_day, slot_time, slot_minutes, attendance, message_id, queued_at, state, attempts, last_code, finished_at, record_attempts
FROM notifier.deliveries
WHERE state <> 'pending' AND recorded IS NULL AND next_attempt_at <= $1
ORDER BY next_attempt_at, position
LIMIT 1
FOR UPDATE SKIP LOCKED
