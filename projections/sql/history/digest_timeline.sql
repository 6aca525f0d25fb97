-- How many events one generation's timelines have, and two sums over 64-bit hashes of every row's text, whatever their order.
-- $1 bigint: the generation
SELECT count(*) AS rows,
    coalesce(sum(hashtextextended(content, 0)), 0)::text || ' ' || coalesce(sum(hashtextextended(content, 1)), 0)::text AS digest
FROM (
    SELECT ROW (case_id, sequence, position, event_id, command_id, event_type, event_version, occurred_at, recorded_at, client,
        actor_kind, actor_id, actor_assurance, on_behalf_of, channel, payload, metadata)::text
    FROM history.timeline_rows
    WHERE generation = $1
) AS held (content)
