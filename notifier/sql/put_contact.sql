-- Remembers how a new customer is reached.
-- Parameters: $1 uuid: customer; $2 text: title, sealed, or null; $3 text: name, sealed; $4 text: email, sealed, or
--   null
INSERT INTO notifier.contacts (customer_id, title, name, email) VALUES ($1, $2, $3, $4)
ON CONFLICT (customer_id) DO UPDATE SET title = excluded.title, name = excluded.name, email = excluded.email
