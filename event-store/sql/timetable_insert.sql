-- Puts down what is to be said when; parallel arrays.
--   $1 uuid[] streams, $2 text[] clocks, $3 text[] marks, $4 text[] due days, $5 timestamptz[] instants
INSERT INTO ledger.timetable (stream, clock, mark, due, at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
ON CONFLICT (stream, clock, mark) DO UPDATE SET due = excluded.due, at = excluded.at
