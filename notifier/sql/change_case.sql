-- A case is of another type, or another customer's.
-- Parameters: $1 uuid: case; $2 text: request type, or null; $3 uuid: customer, or null
UPDATE notifier.cases
SET request_type = coalesce($2, request_type), customer_id = coalesce($3, customer_id)
WHERE case_id = $1
