-- Remembers a new case.
-- Parameters: $1 uuid: case; $2 uuid: customer, or null; $3 text: reference; $4 text: request type
INSERT INTO notifier.cases (case_id, customer_id, reference, request_type) VALUES ($1, $2, $3, $4)
ON CONFLICT (case_id) DO NOTHING
