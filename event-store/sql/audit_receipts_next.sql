-- The next page of audit_receipts.sql.
-- Parameters: none
FETCH FORWARD 2000 FROM audit_receipts
