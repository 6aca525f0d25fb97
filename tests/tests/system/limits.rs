//! What one client can't take from the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_nats::jetstream;
use bus::limits::{COMMANDS_BACKLOG_BYTES, COMMANDS_MAX_ACK_PENDING, RESULTS_MAX_MESSAGES};
use command_service::{CALLS_IN_FLIGHT_MAX, CALLS_IN_FLIGHT_PER_CLIENT_MAX, QUERIES_IN_FLIGHT_MAX};
use futures::TryStreamExt as _;
use schemas::ClientName;
use schemas::result::CommandStatus;
use schemas::subjects::{self, COMMANDS_STREAM, RESULTS_STREAM};
use serde_json::json;
use sqlx::Executor as _;
use system_tests::council::{PATIENCE, obstruction, rejected};
use system_tests::{Council, eventually};
use uuid::Uuid;

use crate::operation::Told;

fn client_name(name: &str) -> ClientName {
    ClientName::new(name).unwrap()
}

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

/// What waits beyond them waits on the bus, and not in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_works_on_as_many_calls_and_queries_at_once_as_it_has_places_for() {
    let council = Council::new().await;
    let service = Told::serve(&council, &["command-service"], &[]).await;
    council.answering().await;
    let owner = council.owner().await;
    let mut lock = owner.acquire().await.unwrap();
    let names = ["website", "contact-centre", "highways-app"].map(client_name);
    let clients = futures::future::join_all(names.iter().map(|name| council.raw(name.as_str()))).await;
    let places = |most: usize| u32::try_from(most).map(f64::from).unwrap();
    // Asks for more and more, until the places are taken and much later still.
    let fill = async |metric: &str, most: usize, message: &dyn Fn(&ClientName) -> (String, String)| {
        let mut full = 0;
        while full < 5 {
            // Each has its share only, so that it takes more than two of them to fill the places.
            for (client, name) in clients.iter().zip(&names) {
                for _ in 0..50 {
                    let ((subject, body), answer) = (message(name), client.new_inbox());
                    client.publish_with_reply(subject, answer, body.into()).await.unwrap();
                }
                client.flush().await.unwrap();
            }
            let in_hand = service.metric(metric).await.unwrap();
            assert!(in_hand <= places(most), "{metric} {in_hand}");
            full += u32::from(in_hand >= places(most));
        }
    };

    lock.execute("BEGIN; SELECT FROM ledger.head FOR UPDATE").await.unwrap();
    fill("caseledger_commands_in_hand", CALLS_IN_FLIGHT_MAX, &|name| {
        let command = council.command_of("SubmitRequest", None, obstruction("Deep"));
        (
            subjects::call(name, &command.name),
            command.envelope(name).write().unwrap(),
        )
    })
    .await;
    lock.execute("COMMIT").await.unwrap();
    service
        .counts("caseledger_commands_in_hand", |in_hand| in_hand == 0.0)
        .await;

    lock.execute("BEGIN; LOCK ledger.commands IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    fill("caseledger_queries_in_hand", QUERIES_IN_FLIGHT_MAX, &|name| {
        let query = json!({ "command_id": Uuid::new_v4() });
        (subjects::query(name, "Result"), query.to_string())
    })
    .await;
    lock.execute("COMMIT").await.unwrap();
    service
        .counts("caseledger_queries_in_hand", |in_hand| in_hand == 0.0)
        .await;
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
    let results = jetstream.get_stream(RESULTS_STREAM).await.unwrap();
    assert_eq!(results.cached_info().config.max_messages, RESULTS_MAX_MESSAGES);
    // The consumer is made when the service has its lease on the durable commands, and named by it.
    let consumer = eventually("the consumer is made", PATIENCE, || async {
        stream.consumers().try_next().await.unwrap()
    })
    .await;
    assert_eq!(consumer.config.max_ack_pending, COMMANDS_MAX_ACK_PENDING);
    // Nothing is recorded for a while: so many are out, and the others stay with NATS.
    let owner = council.owner().await;
    let mut head = owner.acquire().await.unwrap();
    head.execute("BEGIN; SELECT FROM ledger.head FOR UPDATE").await.unwrap();
    let website = council.raw("website").await;
    let over = 100;
    for _ in 0..COMMANDS_MAX_ACK_PENDING + over {
        let command = council.command_of("SubmitRequest", None, obstruction("Deep"));
        let body = command.envelope(&client_name("website")).write().unwrap();
        let subject = subjects::command(&client_name("website"), &command.name);
        website.publish(subject, body.into()).await.unwrap();
    }
    // Another one, where the lease has changed hands.
    let stands = async || stream.consumers().try_next().await.ok().flatten();
    eventually("as many are out as may be", PATIENCE, || async {
        let Some(stands) = stands().await else { return false };
        let waiting = i64::try_from(stands.num_pending).unwrap();
        i64::try_from(stands.num_ack_pending).unwrap() == COMMANDS_MAX_ACK_PENDING && waiting == over
    })
    .await;
    head.execute("COMMIT").await.unwrap();
    eventually("all are recorded", PATIENCE, || async {
        let stands = stands().await;
        stands.is_some_and(|stands| stands.num_ack_pending == 0 && stands.num_pending == 0)
    })
    .await;
}
