-- Sets the cut-over, the first time; afterwards it stays.
-- Parameters: $1 timestamptz: now
INSERT INTO notifier.settings (cut_over) VALUES ($1) ON CONFLICT DO NOTHING
