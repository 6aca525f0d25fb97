-- Remembers cases as they stand now, each once.
-- Parameters, in step: $1 uuid[]: cases; $2 uuid[]: customers, or null; $3 text[]: references; $4 text[]: request types;
-- $5 boolean[]: whether it has ended
INSERT INTO notifier.cases (case_id, customer_id, reference, request_type, ended)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[])
ON CONFLICT (case_id) DO UPDATE
SET customer_id = excluded.customer_id, request_type = excluded.request_type, ended = excluded.ended
