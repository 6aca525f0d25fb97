//! Fault 20: a superuser deletes an event in the middle; or deletes it, and makes everything after it look as if it had never been.

use std::sync::Arc;

use system_tests::{Council, Running, Traffic, Way};

/// Deletes position 20 with its receipt, and moves what comes after into its place.
const AS_IF_IT_HAD_NEVER_BEEN: &str = "
    CREATE TABLE public.gone AS SELECT * FROM ledger.events WHERE position = 20;
    DELETE FROM ledger.events WHERE position = 20;
    DELETE FROM ledger.commands WHERE (client, command_id) IN (SELECT client, command_id FROM public.gone);
    UPDATE ledger.events SET position = position + 1000000 WHERE position > 20;
    UPDATE ledger.events SET position = position - 1000001 WHERE position > 1000000;
    UPDATE ledger.commands SET position = position - 1 WHERE position >= 20;
    UPDATE ledger.events AS event SET service_position = event.service_position - 1 FROM public.gone
        WHERE event.service = gone.service AND event.service_position > gone.service_position;
    UPDATE ledger.commands AS command SET version = command.version - 1 FROM public.gone
        WHERE command.aggregate_id = gone.aggregate_id AND command.version > gone.sequence;
    UPDATE ledger.events AS event SET sequence = event.sequence + 1000000 FROM public.gone
        WHERE event.aggregate_id = gone.aggregate_id AND event.sequence > gone.sequence;
    UPDATE ledger.events SET sequence = sequence - 1000001 WHERE sequence > 1000000;
    UPDATE ledger.head SET position = position - 1";

async fn kept() -> (Arc<Council>, Arc<system_tests::Witness>) {
    let council = Arc::new(Council::new().await);
    let _services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let traffic = Traffic::start(&council, Way::Call).await;
    traffic.flow(60).await;
    let witness = traffic.stop().await;
    witness.assert_kept(&council, Running::Relay).await;
    council.keep_audit_checkpoint().await;
    (council, witness)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_it_leaves_a_hole() {
    let (council, witness) = kept().await;
    council.tamper("DELETE FROM ledger.events WHERE position = 20").await;
    let (status, found) = council.audit(&["verify"]).await;
    assert_eq!(status, 1, "{found}");
    assert_eq!(found["findings"][0]["position"].as_i64(), Some(20), "{found}");
    let breaches = witness.breaches(&council, Running::CommandService).await;
    assert!(
        breaches
            .iter()
            .any(|breach| breach.to_string().contains("position 21 where 20 was to be expected")),
        "{breaches:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_everything_is_made_to_fit() {
    let (council, _witness) = kept().await;
    council.tamper(AS_IF_IT_HAD_NEVER_BEEN).await;
    let (status, alone) = council.audit(&["verify"]).await;
    assert_eq!(status, 0, "the log alone shows nothing any more: {alone}");
    let (status, found) = council.audit(&["verify", "--checkpoint", "outside"]).await;
    assert_eq!(
        (status, found["findings"][0]["kind"].as_str()),
        (1, Some("cut_off")),
        "it is one shorter than what was signed: {found}"
    );
    let (status, found) = council.audit(&["verify", "--tiles", "tiles"]).await;
    assert_eq!(
        (status, found["findings"][0]["position"].as_i64()),
        (1, Some(20)),
        "{found}"
    );
}
