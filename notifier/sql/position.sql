-- The position of the last event that has its effect.
-- Parameters: none
SELECT position FROM notifier.checkpoint
