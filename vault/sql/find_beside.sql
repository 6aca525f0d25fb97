-- The other customers or cases with the look-up hash that one has, in the order of their ids.
-- Parameters: $1 text: kind; $2 uuid: the one; $3 bigint: how many at most
SELECT other.person
FROM vault.lookups AS own
JOIN vault.lookups AS other ON other.kind = own.kind AND other.hash = own.hash AND other.person <> own.person
WHERE own.person = $2 AND own.kind = $1
ORDER BY other.person
LIMIT $3
