//! Fault 21: the last ten events, their receipts and the head are rolled back together. Everything inside looks right.

use std::sync::Arc;

use system_tests::witness::Invariant;
use system_tests::{Council, Running, Traffic, Way};

const CUT: &str = "
    DELETE FROM ledger.commands WHERE position > (SELECT position - 10 FROM ledger.head);
    DELETE FROM ledger.events WHERE position > (SELECT position - 10 FROM ledger.head);
    UPDATE ledger.head SET (position, recorded_at) =
        (SELECT position, recorded_at FROM ledger.events ORDER BY position DESC LIMIT 1)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_checkpoint_by_callers_and_by_the_stream() {
    let council = Arc::new(Council::new().await);
    let services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    // One event for each command, so that no command is cut in two.
    let traffic = Traffic::start(&council, Way::Call).await;
    traffic.flow(60).await;
    let witness = traffic.stop().await;
    witness.assert_kept(&council, Running::Relay).await;
    council.keep_audit_checkpoint().await;
    let head: i64 = sqlx::query_scalar("SELECT position FROM ledger.head")
        .fetch_one(&council.owner().await)
        .await
        .unwrap();
    drop(services);
    council.tamper(CUT).await;

    let (status, alone) = council.audit(&["verify"]).await;
    assert_eq!(status, 0, "everything inside looks right: {alone}");
    for evidence in [["--checkpoint", "outside"], ["--tiles", "tiles"]] {
        let (status, found) = council.audit(&["verify", evidence[0], evidence[1]]).await;
        let from = found["findings"][0]["position"].as_i64();
        assert_eq!((status, from), (1, Some(head - 9)), "{found}");
    }
    // Receipts that callers hold.
    let breaches = witness.breaches(&council, Running::CommandService).await;
    let lost: Vec<i64> = breaches
        .iter()
        .filter(|breach| breach.invariant == Invariant::AcceptedIsRecorded)
        .flat_map(|breach| breach.positions.clone())
        .collect();
    assert_eq!(lost.len(), 10, "{breaches:?}");
    // The stream.
    let mut relay = council.serve("relay");
    let ended = relay.end(system_tests::council::PATIENCE).await;
    assert!(
        !ended.success() && relay.output().contains(&format!("holds position {head}")),
        "{}",
        relay.output()
    );
}
