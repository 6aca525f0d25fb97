-- The cut-over.
-- Parameters: none
SELECT cut_over FROM notifier.settings
