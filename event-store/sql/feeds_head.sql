-- How far the feeds are, and the log.
SELECT held.position, head.position AS log_position
FROM ledger.feeds_head AS held, (SELECT position FROM ledger.head ORDER BY position DESC LIMIT 1) AS head
