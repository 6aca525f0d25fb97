-- The feeds have taken in the log up to here; none where they are elsewhere by now.
--   $1 bigint up to, $2 bigint where they were
UPDATE ledger.feeds_head SET position = $1 WHERE position = $2 RETURNING position
