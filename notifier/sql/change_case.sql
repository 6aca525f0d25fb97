-- A case is of another type, or another customer's, or has ended or gone on. What is null stays.
-- Parameters: $1 uuid: case; $2 text: request type, or null; $3 uuid: customer, or null; $4 boolean: whether it has ended, or null
UPDATE notifier.cases
SET request_type = coalesce($2, request_type), customer_id = coalesce($3, customer_id), ended = coalesce($4, ended)
WHERE case_id = $1
