-- What the sender of the command follows it by: a notice is sent by another process, later, and belongs to the same trace.

ALTER TABLE notifier.deliveries ADD COLUMN traceparent text;

COMMENT ON COLUMN notifier.deliveries.traceparent IS 'The W3C traceparent of the command that the event came from, where it had one.';
