//! What one client can't take from the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_nats::jetstream;
use bus::limits::{COMMANDS_BACKLOG_BYTES, COMMANDS_MAX_ACK_PENDING};
use command_service::CALLS_IN_FLIGHT_PER_CLIENT_MAX;
use futures::TryStreamExt as _;
use schemas::result::CommandStatus;
use schemas::subjects::COMMANDS_STREAM;
use serde_json::json;
use sqlx::Executor as _;
use system_tests::council::{PATIENCE, obstruction, rejected};
use system_tests::{Council, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_floods_the_service_is_told_to_come_again_and_the_others_are_served() {
    const OVER: usize = 100;
    let council = Arc::new(Council::new().await);
    let _service = council.serve("command-service");
    council.answering().await;
    // Nothing is recorded for a while, so that calls stay where they are.
    let owner = council.owner().await;
    let mut head = owner.acquire().await.unwrap();
    head.execute("BEGIN; SELECT FROM ledger.head FOR UPDATE").await.unwrap();
    let (website, put_off) = (Arc::new(council.client("website").await), Arc::new(AtomicUsize::new(0)));
    let calls: Vec<_> = (0..CALLS_IN_FLIGHT_PER_CLIENT_MAX + OVER)
        .map(|_| {
            let (website, put_off) = (Arc::clone(&website), Arc::clone(&put_off));
            let command = council.command_of("SubmitRequest", None, obstruction("Deep"));
            tokio::spawn(async move {
                let first = website.call(&command).await;
                if first.is_ok_and(|result| result.status == CommandStatus::Unavailable) {
                    put_off.fetch_add(1, Ordering::Relaxed);
                }
                website.call_until_known(&command).await.unwrap()
            })
        })
        .collect();
    eventually("some are told to come again", PATIENCE, || async {
        put_off.load(Ordering::Relaxed) >= OVER / 2
    })
    .await;
    // Another client is answered meanwhile: what needs no place in the log at once.
    let centre = council.client("contact-centre").await;
    let wrong = council.command_of("SubmitRequest", None, json!({ "request_type": "dragon" }));
    assert_eq!(rejected(centre.call(&wrong).await.unwrap()).code(), "missing_field");
    head.execute("COMMIT").await.unwrap();
    for call in calls {
        assert!(matches!(call.await.unwrap().status, CommandStatus::Accepted(_)));
    }
}

/// What NATS sees to, NATS has been told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bus_is_told_how_many_durable_commands_may_wait_and_where() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    let jetstream = jetstream::new(council.steward().await);
    let stream = jetstream.get_stream(COMMANDS_STREAM).await.unwrap();
    let config = &stream.cached_info().config;
    assert_eq!(config.max_bytes, COMMANDS_BACKLOG_BYTES);
    // A full stream refuses what is new; nothing that it has taken is dropped.
    assert_eq!(config.discard, jetstream::stream::DiscardPolicy::New);
    // The consumer is made when the service has its lease on the durable commands, and named by it.
    let consumer = eventually("the consumer is made", PATIENCE, || async {
        stream.consumers().try_next().await.unwrap()
    })
    .await;
    assert_eq!(consumer.config.max_ack_pending, COMMANDS_MAX_ACK_PENDING);
}
