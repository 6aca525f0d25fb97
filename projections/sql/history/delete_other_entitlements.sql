-- Deletes the rows of generations that are neither live nor being built.
-- Parameters: none
DELETE FROM history.entitlement_rows
WHERE generation NOT IN (
    SELECT generation FROM history.checkpoints WHERE projection = 'history'
    UNION ALL
    SELECT generation FROM history.rebuilds WHERE projection = 'history'
)
