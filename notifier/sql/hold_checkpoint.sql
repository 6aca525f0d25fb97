-- The position of the last event that has its effect, held until the transaction ends, so that notifiers take turns.
-- Parameters: none
SELECT position FROM notifier.checkpoint FOR UPDATE
