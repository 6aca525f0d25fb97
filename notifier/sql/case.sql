-- A case, where it has a customer, whether it has ended, and whether that customer has an email address now.
-- Parameters: $1 uuid: case
SELECT cases.customer_id, cases.reference, cases.request_type, cases.ended, contacts.email IS NOT NULL AS reachable
FROM notifier.cases
LEFT JOIN notifier.contacts USING (customer_id)
WHERE cases.case_id = $1 AND cases.customer_id IS NOT NULL
