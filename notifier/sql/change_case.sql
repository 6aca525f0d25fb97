-- A case is of another type, another customer's, or decided.
-- Parameters: $1 uuid: case; $2 text: request type, or null; $3 uuid: customer, or null; $4 text: sealed reasons, or null
UPDATE notifier.cases
SET request_type = coalesce($2, request_type), customer_id = coalesce($3, customer_id), decided_for = coalesce($4, decided_for)
WHERE case_id = $1
