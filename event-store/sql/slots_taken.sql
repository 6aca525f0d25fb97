-- How many places are taken in the slots of a range; a slot of which none is has no row.
-- Parameters: $1 text: the first slot, $2 text: the one that the range ends before
SELECT slot, count(*)::int AS taken
FROM ledger.places
WHERE slot >= $1 AND slot < $2
GROUP BY slot
