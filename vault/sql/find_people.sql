-- The people with this look-up hash, in the order of their ids.
-- Parameters: $1 text: kind; $2 bytea: hash; $3 bigint: how many at most
SELECT person FROM vault.lookups WHERE kind = $1 AND hash = $2 ORDER BY person LIMIT $3
