use futures::stream;
use schemas::{AggregateId, ClientName, CommandId, EventId, ServiceName, Version};
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;

fn event(position: i64) -> StoredEvent {
    StoredEvent {
        position: Position(position),
        service: ServiceName::new("waste").unwrap(),
        service_position: Position(position),
        event_id: EventId(Uuid::nil()),
        command_id: CommandId(Uuid::nil()),
        client: ClientName::new("website").unwrap(),
        aggregate_type: "case".into(),
        aggregate_id: AggregateId(Uuid::nil()),
        sequence: Version(position),
        event_type: "RequestUpdated".into(),
        event_version: "1".into(),
        payload: "{}".into(),
        metadata: "{}".into(),
        recorded_at: OffsetDateTime::UNIX_EPOCH,
        occurred_at: OffsetDateTime::UNIX_EPOCH,
    }
}

fn events(positions: &[i64]) -> Vec<StoredEvent> {
    positions.iter().copied().map(event).collect()
}

/// What is made of these live events by who stands at position 10: the positions taken, or what else it is.
async fn hear(positions: &[i64]) -> Result<Vec<i64>, &'static str> {
    let mut live = stream::iter(events(&positions[1..])).chain(stream::pending());
    match heard_by(Instant::now(), event(positions[0]), &mut live, Position(10)).await {
        Heard::Next(events) => Ok(events.iter().map(|event| event.position.0).collect()),
        Heard::Known => Err("known"),
        Heard::Gap => Err("gap"),
    }
}

#[tokio::test]
async fn what_follows_is_taken_as_one_batch() {
    assert_eq!(hear(&[11]).await, Ok(vec![11]));
    assert_eq!(hear(&[11, 12, 13]).await, Ok(vec![11, 12, 13]));
}

/// What a consumer gathers until then, when each event of a full batch is late by a moment.
async fn gathered_by(then: Instant) -> usize {
    let rest = (12..).take(MOST_EVENTS_PER_BATCH - 1);
    let mut live =
        Box::pin(stream::iter(rest).then(|position| tokio::task::yield_now().map(move |()| event(position))));
    match heard_by(then, event(11), &mut live, Position(10)).await {
        Heard::Next(events) => events.len(),
        _ => 0,
    }
}

#[tokio::test]
async fn a_busy_consumer_gathers_what_comes_a_moment_later() {
    assert_eq!(gathered_by(Instant::now()).await, 1);
    assert_eq!(
        gathered_by(Instant::now() + Duration::from_secs(3600)).await,
        MOST_EVENTS_PER_BATCH
    );
}

#[tokio::test]
async fn what_is_known_is_taken_no_second_time() {
    assert_eq!(hear(&[10]).await, Err("known"));
    assert_eq!(hear(&[1, 10, 2]).await, Err("known"));
    assert_eq!(hear(&[10, 11, 11, 10, 12]).await, Ok(vec![11, 12]));
}

#[tokio::test]
async fn what_lies_behind_a_gap_is_not_taken() {
    assert_eq!(hear(&[12]).await, Err("gap"));
    assert_eq!(hear(&[11, 13]).await, Err("gap"));
    assert_eq!(hear(&[10, 12, 11]).await, Err("gap"));
}

#[tokio::test]
async fn a_batch_of_live_events_is_bounded() {
    let many: Vec<i64> = (11..).take(MOST_EVENTS_PER_BATCH + 7).collect();
    assert_eq!(hear(&many).await.map(|taken| taken.len()), Ok(MOST_EVENTS_PER_BATCH));
}

#[test]
fn a_page_has_every_position_or_the_first_that_is_missing_is_named() {
    let missing = |positions: &[i64]| first_missing(Position(10), &events(positions)).map(|position| position.0);
    assert_eq!(missing(&[11, 12, 13]), None);
    assert_eq!(missing(&[12, 13]), Some(11));
    assert_eq!(missing(&[11, 13]), Some(12));
    assert_eq!(missing(&[11, 11]), Some(12));
    assert_eq!(missing(&[]), Some(11), "the head says that there is something");
}
