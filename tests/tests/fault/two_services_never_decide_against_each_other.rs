//! Fault 15: two command-services on the same cases, and two relays; of each, the one that holds a lease stands still until
//! it has lost it, and then goes on as if nothing had happened.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use system_tests::council::{PATIENCE, accepted, obstruction};
use system_tests::{Council, Process, Running, Traffic, Way, Witness, eventually};

async fn holder_of(council: &Council, lease: &str) -> Option<(uuid::Uuid, i64)> {
    sqlx::query_as("SELECT holder, token FROM ledger.leases WHERE name = $1 AND expires_at > now()")
        .bind(lease)
        .fetch_optional(&council.owner().await)
        .await
        .unwrap()
}

/// Starts a service, and another when the first holds the lease: so the first is who has it.
async fn holding(council: &Council, service: &str, lease: &str) -> [Process; 2] {
    let first = council.serve(service);
    eventually("the lease is held", PATIENCE, || async {
        holder_of(council, lease).await.is_some()
    })
    .await;
    [first, council.serve(service)]
}

/// Lets the first stand still until another holds the lease, and then go on.
async fn pause_past_its_lease(council: &Council, first: &mut Process, lease: &str) {
    let held = holder_of(council, lease).await.unwrap();
    first.signal("STOP");
    eventually("another holds the lease", PATIENCE, || async {
        holder_of(council, lease).await.is_some_and(|now| now != held)
    })
    .await;
    first.signal("CONT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn though_one_of_them_slept_past_its_lease() {
    let council = Arc::new(Council::new().await);
    let [mut deciding, _other] = holding(&council, "command-service", "durable-commands").await;
    let [mut relaying, _relay] = holding(&council, "relay", "relay").await;
    council.answering().await;
    let traffic = Traffic::at_pace(&council, Way::Both, Duration::from_millis(10)).await;
    traffic.flow(60).await;
    let (decides, relays) = tokio::join!(
        pause_past_its_lease(&council, &mut deciding, "durable-commands"),
        pause_past_its_lease(&council, &mut relaying, "relay"),
    );
    ((), ()) = (decides, relays);
    traffic.flow(100).await;
    traffic.stop().await.assert_kept(&council, Running::Relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_request_and_on_a_thousand() {
    const EACH: usize = 40;
    let council = Arc::new(Council::new().await);
    let services = [council.serve("command-service"), council.serve("command-service")];
    for service in &services {
        service.line("answerer", PATIENCE).await;
    }
    let witness = Arc::new(Witness::default());
    let website = council.client("website").await;
    let submit = || council.command_of("SubmitRequest", None, obstruction("Deep"));
    let contested = accepted(witness.call(&website, &submit()).await).aggregate_id;
    let senders = (0..25).map(|_| {
        let (council, witness) = (Arc::clone(&council), Arc::clone(&witness));
        tokio::spawn(async move {
            let client = council.client("website").await;
            for number in 0..EACH {
                let update = json!({ "description": format!("Seen {number} times"), "channel": "online",
                    "actor": { "kind": "resident", "assurance": "none" } });
                let on_contested = council.command_of("UpdateRequest", Some(contested), update);
                let own = council.command_of("SubmitRequest", None, obstruction("Deep"));
                let (one, two) = tokio::join!(witness.call(&client, &on_contested), witness.call(&client, &own));
                accepted(one);
                accepted(two);
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    witness.assert_kept(&council, Running::CommandService).await;
    let version: i64 = sqlx::query_scalar("SELECT max(sequence) FROM ledger.events WHERE aggregate_id = $1")
        .bind(contested.to_string())
        .fetch_one(&council.owner().await)
        .await
        .unwrap();
    assert_eq!(
        version,
        i64::try_from(25 * EACH + 1).unwrap(),
        "no update is lost, none is made twice"
    );
}
