-- Deletes the rows of generations that are neither live nor being built.
-- Parameters: none
DELETE FROM reporting.collection_rows
WHERE generation NOT IN (
    SELECT generation FROM reporting.checkpoints WHERE projection = 'reporting'
    UNION ALL
    SELECT generation FROM reporting.rebuilds WHERE projection = 'reporting'
)
