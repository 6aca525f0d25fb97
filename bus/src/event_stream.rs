//! The stream of events, as the relay writes and compares it.

use std::future::IntoFuture;

use async_nats::HeaderMap;
use async_nats::client::PublishErrorKind;
use async_nats::header::NATS_EXPECTED_LAST_SEQUENCE;
use async_nats::jetstream::context::PublishErrorKind as StoreErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Info, RawMessageErrorKind, State};
use bytes::Bytes;
use futures::FutureExt;
use schemas::Position;
use schemas::subjects::EVENTS_STREAM;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use crate::connection::{Connection, api_fault, check_size, too_large_for_the_server};
use crate::error::BusError;
use crate::limits;
use crate::message::{PublishAck, StreamEnd, StreamedEvent};
use crate::seam::PublishAckFuture;

const READING: &str = "read the event stream";

/// Sends an event. See [`Bus::publish_event`](crate::Bus::publish_event).
pub(crate) async fn publish(
    relay: &Connection,
    subject: String,
    body: Bytes,
    expected: u64,
) -> Result<PublishAckFuture, BusError> {
    const DOING: &str = "publish an event";
    check_size(DOING, &body, limits::MAX_REPLY_BYTES)?;
    let message = PublishMessage::build().payload(body).expected_last_sequence(expected);
    let sent = relay.jetstream.send_publish(subject.clone(), message).await;
    let sent = sent.map_err(|error| relay.not_stored(DOING, &subject, &error))?;
    let relay = relay.clone();
    let acknowledged = sent.into_future().map(move |acknowledged| {
        let stored = match acknowledged {
            Ok(ack) => Ok(PublishAck { sequence: ack.sequence }),
            Err(error) if error.kind() == StoreErrorKind::WrongLastSequence => {
                Err(BusError::WrongLastSequence { expected })
            }
            Err(error) => Err(relay.not_stored(DOING, &subject, &error)),
        };
        relay.unstored.note(&subject, &stored);
        stored
    });
    Ok(acknowledged.boxed())
}

/// Sends an event, unacknowledged. See [`Bus::send_event`](crate::Bus::send_event).
pub(crate) async fn send(relay: &Connection, subject: String, body: Bytes, expected: u64) -> Result<(), BusError> {
    const DOING: &str = "send an event";
    check_size(DOING, &body, limits::MAX_REPLY_BYTES)?;
    let mut headers = HeaderMap::new();
    headers.insert(NATS_EXPECTED_LAST_SEQUENCE, expected.to_string());
    // Without a reply subject JetStream stores it and says nothing.
    let sent = relay.client.publish_with_headers(subject, headers, body).await;
    sent.map_err(|error| match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => too_large_for_the_server(DOING),
        _ => BusError::unavailable(DOING, error),
    })
}

/// Reads where the stream ends. See [`Bus::last_event`](crate::Bus::last_event).
pub(crate) async fn end(relay: &Connection) -> Result<StreamEnd, BusError> {
    /// The stream may be emptied between the two questions; then they are asked again.
    const ATTEMPTS: usize = 3;
    let mut end = StreamEnd::default();
    for _ in 0..ATTEMPTS {
        let state = state(relay).await?;
        end = StreamEnd {
            sequence: state.last_sequence,
            messages: state.messages,
            last: None,
        };
        if state.messages > 0 {
            end.last = at(relay, state.last_sequence).await?;
        }
        if end.messages == 0 || end.last.is_some() {
            break;
        }
    }
    Ok(end)
}

async fn state(relay: &Connection) -> Result<State, BusError> {
    let info = relay
        .api::<Info>(READING, format!("STREAM.INFO.{EVENTS_STREAM}"), &json!({}))
        .await?;
    info.map(|info| info.state)
        .map_err(|error| api_fault(READING, EVENTS_STREAM, &error))
}

/// Reads one message. See [`Bus::event_at_sequence`](crate::Bus::event_at_sequence).
pub(crate) async fn at(relay: &Connection, sequence: u64) -> Result<Option<StreamedEvent>, BusError> {
    let stream = relay.jetstream.get_stream_no_info(EVENTS_STREAM).await;
    let stream = stream.map_err(|error| BusError::broken(READING, error))?;
    let message = match stream.get_raw_message(sequence).await {
        Ok(message) => message,
        Err(error) => {
            return match error.kind() {
                RawMessageErrorKind::NoMessageFound => Ok(None),
                RawMessageErrorKind::JetStream(error) => Err(api_fault(READING, EVENTS_STREAM, &error)),
                _ => Err(BusError::unavailable(READING, error)),
            };
        }
    };
    let position = position_of(&message.payload)?;
    let subject = message.subject.to_string();
    Ok(Some(StreamedEvent {
        sequence: message.sequence,
        position,
        subject,
        body: message.payload,
    }))
}

/// Empties the stream. See [`Bus::purge_events`](crate::Bus::purge_events).
pub(crate) async fn purge(relay: &Connection) -> Result<u64, BusError> {
    const DOING: &str = "empty the event stream";
    #[derive(Deserialize)]
    struct Purged {
        purged: u64,
    }
    let last = state(relay).await?.last_sequence;
    let first = json!({ "seq": emptied_until(OffsetDateTime::now_utc(), last) });
    let purged = relay
        .api::<Purged>(DOING, format!("STREAM.PURGE.{EVENTS_STREAM}"), &first)
        .await?;
    purged
        .map(|purged| purged.purged)
        .map_err(|error| api_fault(DOING, EVENTS_STREAM, &error))
}

/// The sequence that the first event has after the stream was emptied at this moment, its last sequence being `last`.
///
/// A purge by itself leaves the last sequence where it is, and the numbers that follow are those which a publisher still names that
/// knows the stream as it was. The microseconds since 1970 run ahead of any number of events, so no two fillings share a sequence,
/// whatever was wiped or put back in between; and they stay below 2^53, which every client can read. Where the clock is not ahead (it
/// was set back, or this is the second time within a moment), the sequence is further on than anybody has events on their way.
#[must_use]
pub fn emptied_until(now: OffsetDateTime, last: u64) -> u64 {
    const FURTHER_ON: u64 = 1_000_000;
    let clock = u64::try_from(now.unix_timestamp_nanos() / 1_000).unwrap_or_default();
    clock.max(last.saturating_add(FURTHER_ON))
}

fn position_of(body: &[u8]) -> Result<Position, BusError> {
    #[derive(Deserialize)]
    struct Positioned {
        position: String,
    }
    let not_ours = || {
        BusError::broken(
            READING,
            "it holds a message that is no event of ours; empty it and fill it again with `caseledger bus refill`",
        )
    };
    let positioned: Positioned = serde_json::from_slice(body).map_err(|_| not_ours())?;
    positioned.position.parse().map(Position).map_err(|_| not_ours())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_read_from_the_message() {
        assert_eq!(position_of(br#"{"position":"41","data":{}}"#), Ok(Position(41)));
        assert!(matches!(position_of(b"{}"), Err(BusError::Broken { .. })));
    }

    #[test]
    fn no_sequence_comes_again_whatever_the_clock_says() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let first = emptied_until(now, 41);
        assert_eq!(first, 1_800_000_000_000_000);
        let behind = now - time::Duration::HOUR;
        assert_eq!(emptied_until(behind, first + 500), first + 1_000_500);
    }
}
