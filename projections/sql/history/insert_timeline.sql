-- Adds events to the timelines of their cases.
-- $1 bigint: the generation
-- $2 … $18: one array a column, one element an event
INSERT INTO history.timeline_rows (
    generation, case_id, sequence, position, event_id, command_id, event_type, event_version, occurred_at, recorded_at, client,
    actor_kind, actor_id, actor_assurance, on_behalf_of, channel, payload, metadata
)
SELECT $1, case_id, sequence, position, event_id, command_id, event_type, event_version, occurred_at, recorded_at, client,
    actor_kind, actor_id, actor_assurance, on_behalf_of, channel, payload::json, metadata::json
FROM unnest(
    $2::uuid[], $3::bigint[], $4::bigint[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[],
    $11::text[], $12::text[], $13::text[], $14::text[], $15::uuid[], $16::text[], $17::text[], $18::text[]
) AS given (
    case_id, sequence, position, event_id, command_id, event_type, event_version, occurred_at, recorded_at, client, actor_kind,
    actor_id, actor_assurance, on_behalf_of, channel, payload, metadata
)
