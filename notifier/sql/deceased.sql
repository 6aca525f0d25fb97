-- Remembers whether a customer died.
-- Parameters: $1 uuid: customer; $2 boolean
UPDATE notifier.contacts SET deceased = $2 WHERE customer_id = $1
