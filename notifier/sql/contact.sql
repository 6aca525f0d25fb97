-- How a customer is reached, and whether they withdrew the consent to emails.
-- Parameters: $1 uuid: customer
SELECT title, name, email, withdrawn FROM notifier.contacts WHERE customer_id = $1
