-- Those of these streams that are known cases.
-- Parameters: $1 uuid[]: streams
SELECT case_id, customer_id, reference, request_type, ended FROM notifier.cases WHERE case_id = ANY ($1)
