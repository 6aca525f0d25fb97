//! Fault 22: the database is restored from a backup of some time ago, and the services are started.

use std::sync::Arc;

use system_tests::council::PATIENCE;
use system_tests::{Council, Running, Traffic, Way, eventually};

/// What a database restored to an earlier moment looks like.
const ROLLED_BACK: &str = "
    DELETE FROM ledger.events WHERE position > 20;
    DELETE FROM ledger.commands WHERE position > 20;
    UPDATE ledger.head SET position = 20, recorded_at = (SELECT recorded_at FROM ledger.events WHERE position = 20)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_stream_knows_of_more() {
    let council = Arc::new(Council::new().await);
    let services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let traffic = Traffic::start(&council, Way::Call).await;
    traffic.flow(60).await;
    let witness = traffic.stop().await;
    witness.assert_kept(&council, Running::Relay).await;
    drop(services);
    council.tamper(ROLLED_BACK).await;

    // Neither who publishes nor who decides goes on: new events would take the places of those that others know.
    let mut services = [council.serve("command-service"), council.serve("relay")];
    for service in &mut services {
        let what = "the service refuses to start";
        eventually(what, PATIENCE, || std::future::ready(service.ended().is_some())).await;
        assert!(!service.ended().unwrap().success());
        let printed = service.output();
        assert!(
            printed.contains("the log ends at 20") && printed.contains("caseledger bus refill"),
            "{printed}"
        );
    }
    let head: i64 = sqlx::query_scalar("SELECT position FROM ledger.head")
        .fetch_one(&council.owner().await)
        .await
        .unwrap();
    assert_eq!(head, 20, "nothing was decided");

    // Once somebody has decided that what the database holds counts, the stream is filled from it, and all goes on.
    let refilling = tokio::spawn({
        let council = Arc::clone(&council);
        async move { council.run(&["bus", "refill"], "").await }
    });
    eventually("the stream is emptied", PATIENCE, || async {
        council.stream_end().await == 0
    })
    .await;
    let _services = [council.serve("command-service"), council.serve("relay")];
    let filled = refilling.await.unwrap();
    assert!(filled.status.success(), "{filled:?}");
    council.answering().await;
    let traffic = Traffic::start(&council, Way::Call).await;
    traffic.flow(30).await;
    let _ = traffic.stop().await;
    // What was lost with the backup is known to who asked for it: they are told that it is not recorded, and ask again.
    let lost = witness.breaches(&council, Running::Relay).await;
    assert!(
        lost.iter().any(|breach| breach.to_string().contains("there is none")),
        "a receipt that a caller holds shows what was lost: {lost:?}"
    );
}
