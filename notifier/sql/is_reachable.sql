-- Whether a customer has an email address now.
-- Parameters: $1 uuid: customer
SELECT email IS NOT NULL FROM notifier.contacts WHERE customer_id = $1
