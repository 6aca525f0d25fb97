-- The customers or cases with one of these look-up hashes, in the order of their ids.
-- Parameters: $1 text: kind; $2 bytea[]: hashes; $3 bigint: how many at most
SELECT DISTINCT person FROM vault.lookups WHERE kind = $1 AND hash = ANY ($2) ORDER BY person LIMIT $3
