-- One customer.
-- $1 uuid: the customer
SELECT customer_id, title::text, name::text, address::text, phone::text, email::text, consents::text, particulars::text, merged_into,
    registered_at, version, position
FROM history.customers
WHERE customer_id = $1
