-- Wraps a key anew.
-- Parameters: $1 uuid: the key; $2 bytea: as it is wrapped now; $3 text: the id of what wrapped it
UPDATE vault.keys SET wrapped = $2, wrapped_by = $3 WHERE id = $1
