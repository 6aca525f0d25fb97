//! Fault 13: a projection stands still, a client takes its events and acknowledges none, and what it acknowledged is lost.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use bus::limits::{CLIENT_ACK_WAIT, CLIENT_MAX_ACK_PENDING};
use bytes::Bytes;
use futures::StreamExt;
use system_tests::council::PATIENCE;
use system_tests::{Council, Running, Traffic, Way, eventually};

/// How long a pull is waited for: longer than it lasts.
const PULLED_WITHIN: Duration = Duration::from_secs(5);

/// Asks for so many events through the client's own consumer, and takes what comes within a moment.
async fn pull(client: &Client, batch: usize) -> Vec<Bytes> {
    let inbox = client.new_inbox();
    let mut coming = client.subscribe(inbox.clone()).await.unwrap();
    let asked = serde_json::json!({ "batch": batch, "expires": 1_000_000_000 }).to_string();
    let next = "$JS.API.CONSUMER.MSG.NEXT.CASELEDGER_EVENTS.contact-centre";
    client.publish_with_reply(next, inbox, asked.into()).await.unwrap();
    let mut events = Vec::new();
    // It ends with a status, which is no event: that so many came, or that the time is over.
    while events.len() < batch
        && let Ok(Some(message)) = tokio::time::timeout(PULLED_WITHIN, coming.next()).await
        && message.status.is_none()
    {
        events.push(message.payload);
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make faults"]
async fn neither_who_writes_nor_who_else_reads() {
    let council = Arc::new(Council::new().await);
    let mut services = council.serve_all().await;
    let traffic = Traffic::at_pace(&council, Way::Both, Duration::from_millis(10)).await;
    traffic.flow(40).await;
    let owner = council.owner().await;
    let number =
        async |statement: &'static str| -> i64 { sqlx::query_scalar(statement).fetch_one(&owner).await.unwrap() };
    services[2].signal("STOP");
    let stood = number("SELECT position FROM history.checkpoints").await;

    // A client of the bus takes whatever it gets through its own consumer, and acknowledges nothing.
    let centre = council.raw("contact-centre").await;
    let most = usize::try_from(CLIENT_MAX_ACK_PENDING).unwrap();
    let mut taken = Vec::new();
    while taken.len() < most {
        taken.extend(pull(&centre, most - taken.len()).await);
    }
    assert!(pull(&centre, 10).await.is_empty(), "no more are out than may be");

    // Meanwhile everybody else goes on.
    traffic.flow(100).await;
    eventually("the notifier follows", PATIENCE, || async {
        number("SELECT position FROM notifier.checkpoint").await > stood + 200
    })
    .await;
    assert_eq!(number("SELECT position FROM history.checkpoints").await, stood);
    services[2].signal("CONT");
    eventually("the projection goes on", PATIENCE, || async {
        number("SELECT position FROM history.checkpoints").await > stood
    })
    .await;

    // What was never acknowledged comes again.
    let again = eventually("it is delivered again", CLIENT_ACK_WAIT + PATIENCE, || async {
        pull(&centre, 1).await.pop()
    })
    .await;
    assert!(taken.contains(&again));
    traffic.stop().await.assert_kept(&council, Running::All).await;
}
