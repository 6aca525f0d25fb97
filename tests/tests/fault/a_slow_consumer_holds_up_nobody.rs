//! Fault 13: a projection stands still, a client takes its events and acknowledges none, and what it acknowledged is lost.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, consumer::PullConsumer};
use bus::limits::{CLIENT_ACK_WAIT, CLIENT_MAX_ACK_PENDING};
use futures::StreamExt;
use system_tests::council::PATIENCE;
use system_tests::{Council, Running, Traffic, Way, eventually};

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

    // A client of the bus, through its own durable consumer, that takes whatever it gets and acknowledges nothing.
    let centre = jetstream::new(council.raw("contact-centre").await);
    let consumer: PullConsumer = centre
        .get_consumer_from_stream("contact-centre", "CASELEDGER_EVENTS")
        .await
        .unwrap();
    let mut taken = Vec::new();
    let most = usize::try_from(CLIENT_MAX_ACK_PENDING).unwrap();
    while taken.len() < most {
        let mut batch = consumer
            .fetch()
            .max_messages(most - taken.len())
            .messages()
            .await
            .unwrap();
        while let Some(message) = batch.next().await {
            taken.push(message.unwrap());
        }
    }
    let mut more = consumer.fetch().max_messages(10).messages().await.unwrap();
    assert!(more.next().await.is_none(), "no more are out than may be");

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
        consumer.fetch().max_messages(1).messages().await.unwrap().next().await
    })
    .await
    .unwrap();
    assert!(taken.iter().any(|message| message.payload == again.payload));
    traffic.stop().await.assert_kept(&council, Running::All).await;
}
