//! Fault 14: live events reach the projections out of order, twice, or not at all.

use std::sync::Arc;
use std::time::Duration;

use event_store::{Ledger, PgLedger, StoredEvent};
use futures::StreamExt;
use futures::stream::BoxStream;
use schemas::Position;
use system_tests::{Council, Running, Traffic, Way};
use tokio::sync::{broadcast, oneshot};
use uuid::Uuid;

/// Reads the log as it grows, and tells of it as badly as a bus may.
async fn tell_badly(ledger: PgLedger, live: broadcast::Sender<StoredEvent>) {
    let mut after = Position::START;
    loop {
        let events = ledger.feed(after, None, 50).await.unwrap();
        after = events.last().map_or(after, |event| event.position);
        for step in 0..events.len() {
            // In steps of 7 each comes, in another order, unless 7 divides their number; every fifth is withheld.
            let event = &events[step * 7 % events.len()];
            if event.position.0 % 5 != 0 {
                let _ = live.send(event.clone());
                let _ = live.send(event.clone());
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn heard(receiver: broadcast::Receiver<StoredEvent>) -> BoxStream<'static, StoredEvent> {
    futures::stream::unfold(receiver, async |mut receiver| {
        loop {
            match receiver.recv().await {
                Ok(event) => return Some((event, receiver)),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
    .boxed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_a_rebuild_gives() {
    let council = Arc::new(Council::new().await);
    let _services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let feed = || async { PgLedger::new(council.database.as_role("caseledger_feed").await) };
    let live = broadcast::Sender::new(1024);
    let mut projecting = Vec::new();
    for projection in projections::projections(Uuid::new_v4) {
        let (stop, stopped) = oneshot::channel::<()>();
        let running = projections::run(
            projection,
            Arc::new(feed().await),
            council.database.as_role("caseledger_projector").await,
            heard(live.subscribe()),
            async {
                let _ = stopped.await;
            },
        );
        projecting.push((stop, tokio::spawn(running)));
    }
    let telling = tokio::spawn(tell_badly(feed().await, live));
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(5)).await;
    traffic.flow(400).await;
    traffic.stop().await.assert_kept(&council, Running::Projections).await;
    for (stop, running) in projecting {
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
    }
    telling.abort();
}
