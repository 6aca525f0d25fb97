-- The timeline of a case, in the order of its events.
-- $1 uuid: the case, or null where the reference says which
-- $2 text: its reference, or null where the id says which
-- $3 bigint: only events up to this position; null for all
-- $4 timestamptz: only events recorded by then; null for all
-- $5 timestamptz: only events that had happened by then; null for all
SELECT case_id, sequence, position, event_id, command_id, event_type, event_version, occurred_at, recorded_at, client,
    actor_kind, actor_id, actor_assurance, on_behalf_of, channel, payload::text, metadata::text
FROM history.timeline
WHERE case_id = coalesce($1, (SELECT named.case_id FROM history.cases AS named WHERE named.reference = $2))
  AND ($3::bigint IS NULL OR position <= $3)
  AND ($4::timestamptz IS NULL OR recorded_at <= $4)
  AND ($5::timestamptz IS NULL OR occurred_at <= $5)
ORDER BY sequence
