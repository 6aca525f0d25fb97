//! The event stream holds every event of the log, whatever happens to it.

use std::process::Output;

use async_nats::jetstream::{self, stream::Stream};

use event_store::{Ledger, PgLedger};
use schemas::Position;
use schemas::query::ReplayRequest;
use system_tests::council::{PATIENCE, obstruction};
use system_tests::{Council, Process, eventually};

/// The event stream, as an operator of NATS sees it.
async fn event_stream(council: &Council) -> Stream {
    let jetstream = jetstream::new(council.steward().await);
    jetstream.get_stream("CASELEDGER_EVENTS").await.unwrap()
}

/// A council with a command-service and a relay.
async fn relaying() -> (Council, [Process; 2]) {
    let council = Council::new().await;
    let services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    (council, services)
}

/// Submits so many requests.
async fn submit(council: &Council, requests: usize) {
    let website = council.client("website").await;
    for _ in 0..requests {
        council
            .accept(&website, "SubmitRequest", None, obstruction("Deep"))
            .await;
    }
}

/// Waits until the stream holds the whole log and nothing else, in order and equal to the byte.
async fn holds_the_log(council: &Council) {
    let ledger = PgLedger::new(council.owner().await);
    let log = ledger.feed(Position::START, None, 10_000).await.unwrap();
    let expected: Vec<_> = log
        .iter()
        .map(|event| command_service::published(event).unwrap().body)
        .collect();
    assert!(!expected.is_empty());
    eventually("the event stream holds the log", PATIENCE, || async {
        let Ok(mut stream) = jetstream::new(council.steward().await)
            .get_stream("CASELEDGER_EVENTS")
            .await
        else {
            return false;
        };
        let state = stream.info().await.unwrap().state.clone();
        let mut held = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            match stream.get_raw_message(sequence).await {
                Ok(message) => held.push(message.payload),
                Err(_) => return false,
            }
        }
        held == expected
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_event_stream_is_filled_again() {
    let (council, _services) = relaying().await;
    submit(&council, 20).await;
    holds_the_log(&council).await;

    // While commands flow.
    let (Output { status, stdout, stderr }, ()) =
        tokio::join!(council.run(&["bus", "refill"], ""), submit(&council, 20));
    let printed = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(status.success(), "{printed:?}");
    holds_the_log(&council).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_stream_that_lost_something_is_filled_again() {
    let (council, _services) = relaying().await;
    submit(&council, 5).await;
    holds_the_log(&council).await;

    // One from the middle.
    assert!(event_stream(&council).await.delete_message(3).await.unwrap());
    holds_the_log(&council).await;

    // All that NATS had, streams and consumers too.
    council.nats.wipe().await;
    council.make_streams().await;
    submit(&council, 5).await;
    holds_the_log(&council).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_rolled_back_stops_the_relay_and_refuses_a_replay() {
    let (council, [_service, mut relay]) = relaying().await;
    submit(&council, 12).await;
    holds_the_log(&council).await;

    // What a database restored to an earlier moment looks like.
    let rolled_back = "
        ALTER TABLE ledger.events DISABLE TRIGGER append_only;
        ALTER TABLE ledger.commands DISABLE TRIGGER append_only;
        ALTER TABLE ledger.head DISABLE TRIGGER forward_only;
        DELETE FROM ledger.events WHERE position > 7;
        DELETE FROM ledger.commands WHERE position > 7;
        UPDATE ledger.head SET position = 7";
    sqlx::raw_sql(rolled_back)
        .execute(&council.database.superuser().await)
        .await
        .unwrap();
    relay
        .line("the event stream holds position 12, the log ends at 7", PATIENCE)
        .await;
    eventually("the relay ends", PATIENCE, || {
        std::future::ready(relay.ended().is_some())
    })
    .await;

    let website = council.client("website").await;
    let after = ReplayRequest {
        after: Position(12),
        service: None,
        limit: None,
    };
    let answer = website.replay(&after).await.unwrap();
    assert!(answer.contains("after_the_end"), "{answer}");
}
