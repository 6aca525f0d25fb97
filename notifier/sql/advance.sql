-- Moves the checkpoint, which this transaction holds.
-- Parameters: $1 bigint: the position of the last event that has its effect
UPDATE notifier.checkpoint SET position = $1
