//! Fault 17: of two command-services one has a clock that is an hour ahead, one that is an hour behind.
//!
//! What a day is, at the end of summer time too, is decided by rules that are given the time: `domain` and `catalogue` test
//! those. Leap seconds are not in the time that Postgres and we keep.

use std::sync::Arc;
use std::time::Duration;

use system_tests::council::PATIENCE;
use system_tests::{Council, Process, Running, Traffic, Way};

fn off_by(council: &Council, seconds: i64) -> Process {
    Process::start(
        council
            .service("command-service")
            .env("CASELEDGER_FAULT_CLOCK", seconds.to_string()),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_refuse_nothing() {
    let council = Arc::new(Council::new().await);
    let services = [off_by(&council, 3600), off_by(&council, -3600)];
    for service in &services {
        service.line("answerer", PATIENCE).await;
    }
    // The notifier says when it sent something, by a clock that is right. A service that is an hour behind takes that for the future
    // until another is asked: what became of a notice is recorded up to a minute late, so that this test leaves it out.
    let _others = [council.serve("relay"), council.serve("projections")];
    let owner = council.owner().await;
    let statement = "SELECT now()";
    let began: time::OffsetDateTime = sqlx::query_scalar(statement).fetch_one(&owner).await.unwrap();
    // Each sender's commands go to either service by chance; all of them have to be accepted.
    let traffic = Traffic::at_pace(&council, Way::Both, Duration::from_millis(10)).await;
    traffic.flow(200).await;
    traffic.stop().await.assert_kept(&council, Running::Projections).await;

    let disordered = "SELECT count(*) FROM ledger.events AS earlier JOIN ledger.events AS later
        ON later.position = earlier.position + 1 WHERE later.recorded_at < earlier.recorded_at";
    let disordered: i64 = sqlx::query_scalar(disordered).fetch_one(&owner).await.unwrap();
    assert_eq!(disordered, 0, "when it was recorded never runs back");
    let statement = "SELECT count(*) FROM ledger.events WHERE recorded_at < $1 OR recorded_at > now()";
    let strange: i64 = sqlx::query_scalar(statement)
        .bind(began)
        .fetch_one(&owner)
        .await
        .unwrap();
    assert_eq!(strange, 0, "it was recorded by the clock of the database");
    let statement = "SELECT count(*) FROM ledger.events AS first JOIN ledger.events AS later USING (aggregate_id)
        WHERE first.sequence = 1 AND later.occurred_at < first.occurred_at";
    let before: i64 = sqlx::query_scalar(statement).fetch_one(&owner).await.unwrap();
    assert_eq!(before, 0, "nothing happened to a case before it began");
    let off = "SELECT count(DISTINCT date_trunc('hour', occurred_at - recorded_at + interval '30 minutes')) FROM ledger.events";
    let off: i64 = sqlx::query_scalar(off).fetch_one(&owner).await.unwrap();
    assert!(off >= 2, "both services took commands");
}
