-- The people who share a look-up hash with a person, those who share most first, and what they share.
--   $1 uuid person, $2 bigint at most so many
SELECT other.person, array_agg(other.kind ORDER BY other.kind) AS kinds
FROM vault.lookups AS own
JOIN vault.lookups AS other ON other.kind = own.kind AND other.hash = own.hash AND other.person <> own.person
WHERE own.person = $1
GROUP BY other.person
ORDER BY count(*) DESC, other.person
LIMIT $2
