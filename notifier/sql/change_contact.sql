-- Changes how a customer is reached.
-- Parameters: $1 uuid: customer; $2 boolean: whether the title changes; $3 text: the new title, sealed, or null for none;
--   $4 text: the new name, sealed, or null to leave it; $5 boolean: whether the email changes; $6 text: the new email, sealed,
--   or null for none
UPDATE notifier.contacts
SET title = CASE WHEN $2 THEN $3 ELSE title END,
    name = coalesce($4, name),
    email = CASE WHEN $5 THEN $6 ELSE email END
WHERE customer_id = $1
