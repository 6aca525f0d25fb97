-- Gives the events of some types between two positions their places, each in the feed of the contractor that it names.
--   $1 bigint after, $2 bigint up to and with, $3 text[] types
INSERT INTO ledger.feeds (contractor, sequence, position)
SELECT told.contractor,
       coalesce((SELECT max(held.sequence) FROM ledger.feeds AS held WHERE held.contractor = told.contractor), 0)
           + row_number() OVER (PARTITION BY told.contractor ORDER BY told.position),
       told.position
FROM (
    SELECT event.payload ->> 'contractor' AS contractor, event.position
    FROM ledger.events AS event
    WHERE event.position > $1 AND event.position <= $2 AND event.event_type = ANY ($3)
) AS told
