-- How far the feeds are, and the log.
SELECT held.position, head.position AS log_position FROM ledger.feeds_head AS held, ledger.head AS head
