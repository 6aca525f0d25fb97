-- Queues a delivery. One that is there already stays as it is.
-- Parameters: $1 bigint: position; $2 uuid: recipient; $3 text: medium; $4 uuid: event; $5 text: correlation id; $6 uuid: case;
--   $7 text: reference; $8 text: request type; $9 text: notice; $10 timestamptz: when the event occurred; $11 text: outcome, or
--   null; $12 boolean: whether an officer decided it; $13 text: reasons or question, sealed, or null; $14 date: by
--   when it is to be answered, or null; $15 text: Message-ID; $16 text: state, pending or no_address; $17 timestamptz: now;
--   $18 text[]: exemptions; $19 text: where a correction leaves the case, or null; $20 date: when the
--   request came, where it was taken down on a later day, or null; $21 text: calendar of the appointment, $22 date: day of
--   its slot, $23 text: time of its slot, $24 int: its minutes, $25 text: what became of it; null where it is about none;
--   $26 text: traceparent, or null
INSERT INTO notifier.deliveries (
    position, recipient, medium, event_id, correlation_id, case_id, reference, request_type, notice, occurred_at, outcome,
    decided_by_officer, reasons, answer_by, message_id, queued_at, state, finished_at, next_attempt_at,
    exemptions, corrected_to, received_on, calendar, slot_day, slot_time, slot_minutes, attendance, traceparent
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $17, $16, CASE WHEN $16 = 'pending' THEN NULL ELSE $17 END,
    $17, $18, $19, $20, $21, $22, $23, $24, $25, $26
)
ON CONFLICT (position, recipient, medium) DO NOTHING
