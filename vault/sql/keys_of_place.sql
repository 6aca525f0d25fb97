-- The keys of one person in one stream, at most one per category, and whether the person is erased.
-- Always at least one row; without a key its key columns are null.
-- Parameters: $1 uuid: person, null where the case has no customer; $2 uuid: stream
SELECT erased.person IS NOT NULL AS erased, held.id, held.category, held.wrapped, held.wrapped_by
FROM (SELECT $1::uuid AS person) AS asked
LEFT JOIN vault.erased_people AS erased ON erased.person = asked.person
LEFT JOIN vault.keys AS held ON held.stream = $2 AND held.person IS NOT DISTINCT FROM asked.person
