-- How many keys each wrapping key has wrapped.
-- Parameters: none
SELECT wrapped_by, count(*) AS keys FROM vault.keys GROUP BY wrapped_by ORDER BY wrapped_by
