//! Durable commands: taken by one process at a time, in the order sent.
//!
//! The consumer's name carries the generation of the lease. Who takes the commands deletes every earlier consumer, so a
//! process that was paused past its lease pulls from a consumer that is gone: it can't take a message out of order.

use async_nats::jetstream::consumer::pull::{MessagesError, MessagesErrorKind};
use async_nats::jetstream::consumer::{self, AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, ErrorCode};
use futures::{StreamExt, stream};
use schemas::subjects::COMMANDS_STREAM;
use serde::Deserialize;
use serde_json::json;

use crate::connection::{Connection, api_fault};
use crate::error::BusError;
use crate::limits;
use crate::message::{AckToken, Delivery};
use crate::nats::headers_of;
use crate::seam::{Deliveries, Generation};

const DOING: &str = "take the durable commands";

/// What the consumers on the commands are called, before the generation.
const CONSUMER_PREFIX: &str = "command-service-";

/// How often to begin again where another process takes the commands at the same moment. One of the two has the later
/// lease, so the second attempt finds it.
const ATTEMPTS: usize = 5;

/// Takes the commands. See [`Bus::take_commands`](crate::Bus::take_commands).
pub(crate) async fn take(puller: &Connection, generation: Generation) -> Result<Deliveries, BusError> {
    for _ in 0..ATTEMPTS {
        delete_earlier(puller, generation).await?;
        if let Some(consumer) = create(puller, generation).await? {
            return deliveries(&consumer).await;
        }
    }
    Err(BusError::unavailable(
        DOING,
        "others keep taking them at the same moment",
    ))
}

/// Deletes the consumers of this and of earlier generations: what they had not acknowledged comes again.
async fn delete_earlier(puller: &Connection, generation: Generation) -> Result<(), BusError> {
    #[derive(Deserialize)]
    struct Names {
        consumers: Option<Vec<String>>,
    }
    #[derive(Deserialize)]
    struct Deleted {}
    let subject = format!("CONSUMER.NAMES.{COMMANDS_STREAM}");
    let names = puller.api::<Names>(DOING, subject, &json!({ "offset": 0 })).await?;
    let names = names
        .map_err(|error| api_fault(DOING, COMMANDS_STREAM, &error))?
        .consumers
        .unwrap_or_default();
    if names.iter().any(|name| generation_of(name) > Some(generation)) {
        return Err(BusError::Superseded);
    }
    for name in names {
        let subject = format!("CONSUMER.DELETE.{COMMANDS_STREAM}.{name}");
        match puller.api::<Deleted>(DOING, subject, &json!({})).await? {
            Err(error) if error.error_code() != ErrorCode::CONSUMER_NOT_FOUND => {
                return Err(api_fault(DOING, COMMANDS_STREAM, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes this generation's consumer; `None` where another is in the way, for a work queue has one only.
async fn create(puller: &Connection, generation: Generation) -> Result<Option<PullConsumer>, BusError> {
    let name = format!("{CONSUMER_PREFIX}{}", generation.0);
    let config = consumer::Config {
        durable_name: Some(name.clone()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: limits::COMMANDS_ACK_WAIT,
        max_ack_pending: limits::COMMANDS_MAX_ACK_PENDING,
        ..consumer::Config::default()
    };
    let subject = format!("CONSUMER.CREATE.{COMMANDS_STREAM}.{name}");
    let payload = json!({ "stream_name": COMMANDS_STREAM, "config": config, "action": "create" });
    let created = puller.api::<consumer::Info>(DOING, subject, &payload).await?;
    match created {
        Ok(info) => {
            let config = pull::Config {
                durable_name: Some(name),
                ..pull::Config::default()
            };
            Ok(Some(PullConsumer::new(config, info, puller.jetstream.clone())))
        }
        Err(error) => match error.error_code() {
            ErrorCode::CONSUMER_WQ_MULTIPLE_UNFILTERED
            | ErrorCode::CONSUMER_WQ_CONSUMER_NOT_UNIQUE
            | ErrorCode::CONSUMER_ALREADY_EXISTS => Ok(None),
            _ => Err(api_fault(DOING, COMMANDS_STREAM, &error)),
        },
    }
}

async fn deliveries(consumer: &PullConsumer) -> Result<Deliveries, BusError> {
    let messages = consumer
        .stream()
        .max_messages_per_batch(limits::COMMANDS_PULL_BATCH)
        .heartbeat(limits::PULL_HEARTBEAT)
        .expires(limits::PULL_EXPIRES)
        .messages()
        .await
        .map_err(|error| BusError::unavailable(DOING, error))?;
    let deliveries = messages.map(|next| next.map_err(|error| broken_pull(&error)).and_then(delivery));
    Ok(deliveries.boxed())
}

/// These deliveries up to their first error. After it nothing more is taken: a pull that goes on could skip what was lost on the way.
pub(crate) fn until_error(deliveries: Deliveries) -> Deliveries {
    let until_error = stream::unfold(Some(deliveries), |deliveries| async {
        let mut deliveries = deliveries?;
        let next = deliveries.next().await?;
        let rest = next.is_ok().then_some(deliveries);
        Some((next, rest))
    });
    until_error.boxed()
}

fn delivery(message: jetstream::Message) -> Result<Delivery, BusError> {
    let info = message.info().map_err(|error| BusError::broken(DOING, error))?;
    let (stream_sequence, delivered) = (info.stream_sequence, info.delivered);
    let message = message.message;
    let token = message
        .reply
        .map(|reply| AckToken::new(reply.as_str()))
        .ok_or_else(|| BusError::broken(DOING, "no ack subject"))?;
    Ok(Delivery {
        subject: message.subject.to_string(),
        headers: headers_of(message.headers.as_ref()),
        body: message.payload,
        stream_sequence,
        delivered_count: u64::try_from(delivered).unwrap_or(1),
        ack: token,
    })
}

fn broken_pull(error: &MessagesError) -> BusError {
    match error.kind() {
        MessagesErrorKind::ConsumerDeleted => BusError::Superseded,
        _ => BusError::unavailable(DOING, error),
    }
}

/// The generation of a consumer. Whatever else stands on the work queue counts as before the first.
fn generation_of(consumer: &str) -> Option<Generation> {
    consumer.strip_prefix(CONSUMER_PREFIX)?.parse().ok().map(Generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumers_generation_is_in_its_name() {
        assert_eq!(generation_of("command-service-12"), Some(Generation(12)));
        assert!(generation_of("command-service-12") > Some(Generation(9)));
        assert!(generation_of("somebody") < Some(Generation(0)));
    }
}
