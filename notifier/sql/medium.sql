-- Remembers whether a customer wants to be reached by another medium than email.
-- Parameters: $1 uuid: customer; $2 boolean
UPDATE notifier.contacts SET prefers_another_medium = $2 WHERE customer_id = $1
