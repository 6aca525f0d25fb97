-- The next page of audit_rows.sql.
-- Parameters: none
FETCH FORWARD 2000 FROM audit_rows
