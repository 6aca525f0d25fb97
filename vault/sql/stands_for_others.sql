-- Whether somebody owns what was made for other people, in those people's own streams.
--   $1 uuid person
SELECT EXISTS (
    SELECT FROM vault.keys AS own WHERE own.owner = $1 AND own.stream = own.person AND own.person <> $1
)
