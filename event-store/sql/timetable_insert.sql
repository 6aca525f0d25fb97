-- Puts down what is to be said when; parallel arrays.
--   $1 uuid[] streams, $2 text[] clocks, $3 text[] marks, $4 text[] due days, $5 bigint[] positions, $6 timestamptz[] instants
INSERT INTO ledger.timetable (stream, clock, mark, due, listed_at, at)
SELECT DISTINCT ON (given.stream, given.clock, given.mark) given.*
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
    AS given (stream, clock, mark, due, listed_at, at)
ON CONFLICT (stream, clock, mark) DO UPDATE SET due = excluded.due, listed_at = excluded.listed_at, at = excluded.at
