-- Keys that another wrapping key than the one in force has wrapped, kept from others until the transaction ends.
-- Parameters: $1 text: the id of the wrapping key in force; $2 bigint: at most so many
SELECT id, person, stream, category, wrapped, wrapped_by
FROM vault.keys
WHERE wrapped_by <> $1
ORDER BY id
LIMIT $2
FOR UPDATE
