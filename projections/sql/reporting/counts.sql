-- How many requests there are of each kind, and up to which position of the log.
-- $1 date: received on this day or later; null for all
-- $2 date: received on this day or earlier; null for all
SELECT as_of.position, counted.service, counted.request_type, counted.channel, counted.received_month, counted.status,
    counted.outcome, counted.reopened, counted.requests
FROM reporting.as_of
LEFT JOIN (
    SELECT service, request_type, channel, received_month, status, outcome, reopened, count(*) AS requests
    FROM reporting.requests
    WHERE ($1::date IS NULL OR received_on >= $1) AND ($2::date IS NULL OR received_on <= $2)
    GROUP BY service, request_type, channel, received_month, status, outcome, reopened
) AS counted ON true
ORDER BY service, request_type, channel, received_month, status, outcome NULLS FIRST, reopened
