//! Fault 1: the command-service is killed at each point on the way of a command.

use std::sync::Arc;

use sqlx::Executor as _;
use system_tests::council::{PATIENCE, obstruction};
use system_tests::{Council, Running, Traffic, Way, Witness, eventually};

/// Serves until each of these points in turn, while commands flow, and finds every promise kept.
async fn killed_at(points: &[&str], way: Way) {
    let council = Arc::new(Council::new().await);
    let first = council.serve("command-service");
    council.answering().await;
    let traffic = Traffic::start(&council, way).await;
    traffic.flow(16).await;
    traffic.witness().keep_checkpoint(&council).await;
    drop(first);
    // Not always at the same moment, and each soon.
    for (passing, point) in (2..12).cycle().zip(points) {
        let mut service = council.serve_until("command-service", &format!("{point}:{passing}"));
        let what = format!("the service ends {point}");
        eventually(&what, PATIENCE, || std::future::ready(service.ended().is_some())).await;
        assert!(
            !service.ended().unwrap().success(),
            "it ended by itself: {}",
            service.output()
        );
    }
    let _last = council.serve("command-service");
    traffic.flow(40).await;
    traffic
        .stop()
        .await
        .assert_kept(&council, Running::CommandService)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_called() {
    killed_at(
        &["after-pull", "before-append", "after-append", "after-answer"],
        Way::Call,
    )
    .await;
}

// A killed holder of the lease on durable commands is waited for: some ten seconds at each point.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_sent_durably() {
    killed_at(
        &[
            "after-pull",
            "before-append",
            "after-append",
            "after-answer",
            "after-ack",
        ],
        Way::Durable,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make faults"]
async fn at_each_point_fifty_times() {
    let mut points = Vec::new();
    for _ in 0..50 {
        points.extend(["after-pull", "before-append", "after-append", "after-answer"]);
    }
    killed_at(&points, Way::Call).await;
}

/// The append has reached Postgres and waits there for its turn when its sender is killed: it commits, and nobody hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_after_its_sender_s_death() {
    let council = Council::new().await;
    let mut service = council.serve("command-service");
    council.answering().await;
    let (witness, website) = (Witness::default(), council.client("website").await);
    let owner = council.owner().await;
    let mut head = owner.acquire().await.unwrap();
    head.execute("BEGIN; SELECT FROM ledger.head FOR UPDATE").await.unwrap();
    let commands: Vec<_> = (0..20)
        .map(|_| council.command_of("SubmitRequest", None, obstruction("Deep")))
        .collect();
    for command in &commands {
        witness.call_and_leave(&website, command).await;
    }
    let superuser = council.database.superuser().await;
    eventually("an append waits", PATIENCE, || async {
        let statement = "SELECT EXISTS (SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%ledger.append%')";
        sqlx::query_scalar::<_, bool>(statement)
            .fetch_one(&superuser)
            .await
            .unwrap()
    })
    .await;
    service.kill();
    head.execute("COMMIT").await.unwrap();
    eventually("it commits", PATIENCE, || async {
        let statement = "SELECT count(*) > 0 FROM ledger.events";
        sqlx::query_scalar::<_, bool>(statement)
            .fetch_one(&owner)
            .await
            .unwrap()
    })
    .await;

    let _again = council.serve("command-service");
    witness.assert_kept(&council, Running::CommandService).await;
    let recorded: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger.events")
        .fetch_one(&owner)
        .await
        .unwrap();
    assert_eq!(recorded, 20, "each request once");
}
