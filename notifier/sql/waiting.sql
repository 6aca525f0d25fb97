-- How many deliveries wait to be sent, and how many that are finished wait to be recorded on their cases.
-- Parameters: none
SELECT (SELECT count(*) FROM notifier.deliveries WHERE state = 'pending') AS to_send,
       (SELECT count(*) FROM notifier.deliveries WHERE state <> 'pending' AND recorded IS NULL) AS to_record
