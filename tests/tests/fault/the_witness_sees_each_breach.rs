//! The witness itself: each promise broken by hand, behind the system's back, is found and named.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use system_tests::witness::{Breach, Invariant};
use system_tests::{Council, Running, Traffic, Way, Witness};

/// A council where all services ran for a while and then ended, with every promise kept.
async fn kept() -> (Arc<Council>, Arc<Witness>) {
    let council = Arc::new(Council::new().await);
    let services = council.serve_all().await;
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(20)).await;
    traffic.flow(40).await;
    let witness = traffic.stop().await;
    witness.assert_kept(&council, Running::All).await;
    witness.keep_checkpoint(&council).await;
    drop(services);
    (council, witness)
}

/// Where the log holds what the traffic sent: between its events stand those of the services, who write when they come to it.
async fn sent(council: &Council) -> Vec<i64> {
    sqlx::query_scalar("SELECT position FROM ledger.events WHERE client = 'contact-centre' ORDER BY position")
        .fetch_all(&council.owner().await)
        .await
        .expect("the log can be read")
}

fn of(breaches: &[Breach], invariant: Invariant) -> Vec<&Breach> {
    breaches.iter().filter(|breach| breach.invariant == invariant).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_log_the_stream_and_the_views() {
    let (council, witness) = kept().await;
    // One each for what is deleted from the stream, altered, deleted, never sent, and without receipt.
    let [lost, altered, deleted, foreign, bare] = *sent(&council).await.last_chunk().expect("five were sent");

    let stream = jetstream::new(council.steward().await)
        .get_stream("CASELEDGER_EVENTS")
        .await
        .unwrap();
    stream.delete_message(u64::try_from(lost).unwrap()).await.unwrap();
    let breaches = witness.breaches(&council, Running::All).await;
    assert_eq!(breaches.len(), 1, "{breaches:?}");
    assert_eq!(breaches[0].invariant, Invariant::StreamHoldsTheLog);
    assert_eq!(breaches[0].positions, [lost]);
    assert_eq!(breaches[0].commands.len(), 1);

    council
        .tamper("UPDATE history.case_rows SET version = version + 1")
        .await;
    let breaches = witness.breaches(&council, Running::All).await;
    assert!(!of(&breaches, Invariant::ViewsFollowTheLog).is_empty(), "{breaches:?}");

    council
        .tamper("DELETE FROM notifier.deliveries WHERE position = (SELECT min(position) FROM notifier.deliveries)")
        .await;
    let breaches = witness.breaches(&council, Running::All).await;
    let told = of(&breaches, Invariant::EachIsToldOnce);
    // It is missing, and its email belongs to nothing.
    assert_eq!(told.len(), 2, "{breaches:?}");
    assert!(
        told[0]
            .to_string()
            .contains("nobody was told of request_received (positions [")
    );

    witness.expects_letter_about(b"no JSON");
    let breaches = witness.breaches(&council, Running::CommandService).await;
    assert_eq!(of(&breaches, Invariant::NothingIsDropped).len(), 1, "{breaches:?}");

    // One byte of one event.
    council
        .tamper(&format!(
            "UPDATE ledger.events SET payload = replace(payload::text, '\"', ' \"')::json WHERE position = {altered}"
        ))
        .await;
    let breaches = witness.breaches(&council, Running::Relay).await;
    let whole = of(&breaches, Invariant::LogIsWhole);
    assert!(whole[0].what.contains("it does not hold any more"), "{breaches:?}");
    let held = of(&breaches, Invariant::StreamHoldsTheLog);
    assert!(held.iter().any(|breach| breach.positions == [altered]), "{breaches:?}");

    // A command that was accepted and whose events are gone, and one that nobody sent.
    council
        .tamper(&format!(
            "DELETE FROM ledger.events WHERE position = {deleted};
         UPDATE ledger.events SET command_id = gen_random_uuid() WHERE position = {foreign}"
        ))
        .await;
    let breaches = witness.breaches(&council, Running::CommandService).await;
    let recorded = of(&breaches, Invariant::AcceptedIsRecorded);
    assert!(recorded.len() >= 3, "two receipts and an event: {breaches:?}");
    assert_eq!(of(&breaches, Invariant::UnansweredActsOnce)[0].positions, [foreign]);
    assert!(
        of(&breaches, Invariant::LogIsWhole).iter().any(|breach| breach
            .to_string()
            .contains(&format!("position {} where {deleted} was to be expected", deleted + 1))),
        "{breaches:?}"
    );

    council
        .tamper(&format!(
            "DELETE FROM ledger.commands WHERE client = 'contact-centre' AND position = {bare}"
        ))
        .await;
    let breaches = witness.breaches(&council, Running::CommandService).await;
    assert!(
        breaches.iter().any(|breach| breach
            .to_string()
            .contains(&format!("of its receipt: there is none (positions [{bare}])"))),
        "{breaches:?}"
    );
}
