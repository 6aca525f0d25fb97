//! Fault 12: a command of an unknown kind, and an event of an unknown kind or a newer version in the log.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use system_tests::council::{PATIENCE, rejected};
use system_tests::{Council, Running, Traffic, Way, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_refused() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    council.answering().await;
    let centre = council.client("contact-centre").await;
    let unknown = council.command_of("TeleportRequest", None, json!({}));
    assert_eq!(
        rejected(centre.call_until_known(&unknown).await.unwrap()).code(),
        "unknown_command"
    );
    assert_eq!(rejected(centre.send(&unknown).await.unwrap()).code(), "unknown_command");
}

/// Whoever reads the log stops before such an event and says so, and goes on when it can be read.
async fn stopped_by(change: &str, undone: &str) {
    let council = Arc::new(Council::new().await);
    let writing = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(20)).await;
    traffic.flow(40).await;
    let witness = traffic.stop().await;
    witness.assert_kept(&council, Running::Relay).await;
    council.tamper(change).await;

    let mut reading = [council.serve("projections"), council.serve("notifier")];
    for service in &mut reading {
        let what = "the service ends at the event that it can't read";
        eventually(what, PATIENCE, || std::future::ready(service.ended().is_some())).await;
        assert!(!service.ended().unwrap().success());
        assert!(service.output().contains("position 20"), "{}", service.output());
    }
    let positions = "SELECT max(position) FROM (SELECT position FROM history.checkpoints UNION ALL
        SELECT position FROM reporting.checkpoints UNION ALL SELECT position FROM notifier.checkpoint) AS every";
    let reached: i64 = sqlx::query_scalar(positions)
        .fetch_one(&council.owner().await)
        .await
        .unwrap();
    assert_eq!(reached, 19, "nobody has gone past it");

    council.tamper(undone).await;
    let _again = [council.serve("projections"), council.serve("notifier")];
    witness.assert_kept(&council, Running::All).await;
    drop(writing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_an_unknown_kind_stops_who_reads() {
    stopped_by(
        "CREATE TABLE public.kept AS SELECT event_type FROM ledger.events WHERE position = 20;
         UPDATE ledger.events SET event_type = 'RequestTeleported' WHERE position = 20",
        "UPDATE ledger.events SET event_type = (SELECT event_type FROM public.kept) WHERE position = 20",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_newer_version_stops_who_reads() {
    stopped_by(
        "UPDATE ledger.events SET event_version = '99' WHERE position = 20",
        "UPDATE ledger.events SET event_version = '1' WHERE position = 20",
    )
    .await;
}
