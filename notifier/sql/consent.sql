-- Remembers whether a customer withdrew the consent to emails.
-- Parameters: $1 uuid: customer; $2 boolean: whether it was withdrawn
UPDATE notifier.contacts SET withdrawn = $2 WHERE customer_id = $1
