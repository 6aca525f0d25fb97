//! Leases and wake-ups.

use std::time::Duration;

use event_store::{Leases, Ledger, LedgerError, PgLeases, PgLedger};
use system_tests::{Proxy, eventually};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Log, accepted, log, receipt, stream};

const LONG: Duration = Duration::from_secs(3_600);
const SOON: Duration = Duration::from_secs(20);

async fn leases(log: &Log) -> PgLeases {
    PgLeases::new(log.database.as_role("caseledger_relay").await, Uuid::new_v4())
}

#[tokio::test]
async fn one_holds_a_lease_until_it_is_released() {
    let log = log().await;
    let (one, two) = (leases(&log).await, leases(&log).await);
    let first = one.acquire("relay", LONG).await.unwrap().unwrap();
    assert!(first.is_good(Instant::now()));
    assert_eq!(two.acquire("relay", LONG).await.unwrap(), None);
    assert_eq!(one.acquire("relay", LONG).await.unwrap(), None);
    assert!(
        two.acquire("puller", LONG).await.unwrap().is_some(),
        "another name is another lease"
    );
    let renewed = one.renew("relay", first, LONG).await.unwrap().unwrap();
    assert!(renewed.token == first.token && renewed.good_until > first.good_until);
    one.release("relay", renewed).await.unwrap();
    let second = two.acquire("relay", LONG).await.unwrap().unwrap();
    assert!(second.token > first.token);
}

#[tokio::test]
async fn a_paused_holder_loses_its_lease_and_its_token_is_the_older() {
    let log = log().await;
    let (paused, other) = (leases(&log).await, leases(&log).await);
    let first = paused
        .acquire("relay", Duration::from_millis(50))
        .await
        .unwrap()
        .unwrap();
    let second = eventually("the lease expires", SOON, || async {
        other.acquire("relay", LONG).await.unwrap()
    })
    .await;
    assert!(second.token > first.token);
    assert!(!first.is_good(Instant::now()));
    assert_eq!(paused.renew("relay", first, LONG).await.unwrap(), None);
    // Nor can it take away what is another's now.
    paused.release("relay", first).await.unwrap();
    assert_eq!(paused.acquire("relay", LONG).await.unwrap(), None);
    assert!(other.renew("relay", second, LONG).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lease_that_ran_out_can_not_be_renewed_even_if_nobody_took_it() {
    let log = log().await;
    let leases = leases(&log).await;
    let first = leases.acquire("relay", Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(leases.renew("relay", first, LONG).await.unwrap(), None);
    assert!(leases.acquire("relay", LONG).await.unwrap().unwrap().token > first.token);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_not_answered_ends_while_the_holder_can_still_stop() {
    let log = log().await;
    let line = Proxy::start(log.database.postgres().port()).await;
    let pool = sqlx::PgPool::connect(&line.url(&log.database.role_url("caseledger_relay").await))
        .await
        .unwrap();
    let leases = PgLeases::new(pool, Uuid::new_v4());
    let grant = leases.acquire("relay", Duration::from_secs(1)).await.unwrap().unwrap();
    line.lose_answers();
    let renewal = tokio::time::timeout(SOON, leases.renew("relay", grant, LONG))
        .await
        .expect("it ends");
    assert!(matches!(renewal, Err(LedgerError::Unavailable(_))), "{renewal:?}");
    assert!(!grant.is_good(Instant::now()));
}

#[tokio::test]
async fn of_many_that_compete_one_wins() {
    let log = log().await;
    let mut competing = Vec::new();
    for _ in 0..4 {
        let leases = leases(&log).await;
        competing.push(async move { leases.acquire("relay", LONG).await.unwrap() });
    }
    let grants = futures::future::join_all(competing).await;
    assert_eq!(grants.iter().flatten().count(), 1);
}

#[tokio::test]
async fn an_append_wakes_who_listens() {
    let log = log().await;
    let pool = log.database.as_role("caseledger_relay").await;
    let mut listener = PgLedger::new(pool).news().await.unwrap();
    receipt(&log.append_one(accepted(stream(), 0, 1)).await);
    let started = Instant::now();
    listener.changed(SOON).await.unwrap();
    assert!(started.elapsed() < SOON);
    // Nothing more: only the time ends the wait.
    let wait = Duration::from_millis(20);
    let started = Instant::now();
    listener.changed(wait).await.unwrap();
    assert!(started.elapsed() >= wait);
}
