-- The keys that sealed values name, and whether the people they name are erased. One row per element asked for, in any
-- order; without a key its key columns are null.
-- Parameters, parallel: $1 uuid[]: key ids; $2 uuid[]: the person that the sealed value names, or null
SELECT asked.id AS asked_id, erased.person IS NOT NULL AS erased,
       held.id, held.person, held.stream, held.category, held.wrapped, held.wrapped_by
FROM unnest($1::uuid[], $2::uuid[]) AS asked (id, person)
LEFT JOIN vault.erased_people AS erased ON erased.person = asked.person
LEFT JOIN vault.keys AS held ON held.id = asked.id
