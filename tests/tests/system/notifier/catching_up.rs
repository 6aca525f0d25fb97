//! What the log says of a customer counts before a notice goes, also where nobody followed it for a while.

use std::sync::atomic::Ordering;
use std::time::Duration;

use event_store::PgLedger;
use notifier::{EMAIL_CONSENT, Transport};
use schemas::event::NotificationFailure;
use sqlx::postgres::PgPoolOptions;
use system_tests::{Proxy, eventually};

use super::mail_server::{MailServer, Plan};
use super::world::{SOON, World};
use super::{LogLines, failed};

const RECORDED: &str = "SELECT count(*) FROM notifier.deliveries WHERE recorded = 'accepted'";

#[tokio::test]
async fn a_notifier_that_starts_with_a_backlog_reads_the_log_before_it_sends() {
    const SILENT: i64 = 5;
    let world = World::new().await;
    let withdrawing = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    let moving = world.customer("Grace Hopper", Some("old@example.org")).await;
    let of_withdrawing = world.submitted(1, Some(withdrawing)).await;
    world.submitted(2, Some(moving)).await;
    // These have nothing to send and something to record: they show that the notifier is at work.
    let silent = world.customer("Alan Turing", None).await;
    for number in 0..SILENT {
        world.submitted(3 + number, Some(silent)).await;
    }
    let notifier = world.notifier(world.folder()).await;
    world.follow(&notifier).await;
    // The notifier stands still, and the log goes on.
    drop(notifier);
    world.consent(withdrawing, EMAIL_CONSENT, false).await;
    world.moved(moving, "new@example.org").await;

    // Nothing is taken in while another holds the checkpoint.
    let mut holding = world.owner.begin().await.unwrap();
    sqlx::query("SELECT position FROM notifier.checkpoint FOR UPDATE")
        .execute(&mut *holding)
        .await
        .unwrap();
    let running = world.start(world.folder()).await;
    world.until(SILENT, RECORDED).await;
    assert!(world.emails().is_empty());
    holding.rollback().await.unwrap();
    world.until_all_is_done().await;
    running.stop().await;

    let told = failed(&world, of_withdrawing).await;
    assert_eq!(
        (told.len(), told[0].failure),
        (1, NotificationFailure::ConsentWithdrawn)
    );
    let emails = world.emails();
    assert_eq!(emails.len(), 1);
    assert!(emails[0].1.contains("new@example.org"), "{}", emails[0].1);
}

#[tokio::test]
async fn a_notifier_that_lost_the_log_reads_on_before_it_sends() {
    let lines = LogLines::default();
    let _collecting = lines.collect();
    let world = World::new().await;
    let silent = world.customer("Alan Turing", None).await;
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    let case = world.submitted(1, Some(customer)).await;
    world.submitted(2, Some(silent)).await;
    // The notice is to be sent again and the record to be made again, once the clock says so.
    let server = MailServer::start([Plan::Refuse("451 busy")]).await;
    world.cases.forbidding.store(4, Ordering::Relaxed);
    let line = Proxy::start(world.database.postgres().port()).await;
    let url = line.url(&world.database.role_url("caseledger_feed").await);
    let options = PgPoolOptions::new().acquire_timeout(Duration::from_secs(2));
    let feed = PgLedger::new(options.connect(&url).await.unwrap());
    let running = world.start_on(feed, Transport::smtp(&server.url()).unwrap()).await;
    let postponed = "SELECT count(*) FROM notifier.deliveries
        WHERE last_code = '451' OR record_code = 'command_not_allowed'";
    world.until(2, postponed).await;

    line.cut();
    // The first time it finds that out; the second time it looks how far the log goes, and can't.
    eventually("the notifier finds the log away", SOON, || async {
        lines.text().matches("subscription pauses").count() >= 2
    })
    .await;
    world.consent(customer, EMAIL_CONSENT, false).await;
    // The recorder looks as often as the senders do, and each time finds that its record is due once more.
    for attempts in 2..=4 {
        world.clock.pass(Duration::from_secs(120));
        let query = format!("SELECT count(*) FROM notifier.deliveries WHERE record_attempts = {attempts}");
        world.until(1, &query).await;
    }
    assert_eq!(server.taken().len(), 1, "only the attempt before the log was away");
    line.restore();
    world.clock.pass(Duration::from_secs(120));
    world.until_all_is_done().await;
    running.stop().await;
    assert_eq!(server.taken().len(), 1);
    let told = failed(&world, case).await;
    assert_eq!(
        (told[0].failure, told[0].attempts),
        (NotificationFailure::ConsentWithdrawn, 1)
    );
}

/// What the notifier remembers of cases and customers, and what it has to tell.
const REMEMBERED: &str = "SELECT jsonb_build_object(
    'cases', (SELECT jsonb_agg(to_jsonb(cases) ORDER BY case_id) FROM notifier.cases),
    'contacts', (SELECT jsonb_agg(to_jsonb(contacts) ORDER BY customer_id) FROM notifier.contacts),
    'deliveries', (SELECT jsonb_agg(to_jsonb(deliveries) ORDER BY position) FROM notifier.deliveries))";

#[tokio::test]
async fn a_batch_says_what_its_events_say_one_by_one() {
    let world = World::new().await;
    let ada = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    let bob = world.customer("Bob Ampofo", None).await;
    let (first, second) = (world.submitted(1, Some(ada)).await, world.submitted(2, Some(bob)).await);
    let nobodys = world.submitted(3, None).await;
    world.is_of(first, bob).await;
    world.closed(first, bob, "It stood behind the gate.").await;
    world.moved(bob, "bob@example.org").await;
    world.closed(second, bob, "It was full of rubble.").await;
    world.is_of(nobodys, ada).await;
    world.closed(nobodys, ada, "It was not out.").await;
    let superuser = world.database.superuser().await;
    let mut remembered = Vec::new();
    for of in [1_000, 1, 4] {
        let notifier = world.notifier(world.folder()).await;
        world.follow_in_batches(&notifier, of).await;
        let now: serde_json::Value = sqlx::query_scalar(REMEMBERED).fetch_one(&superuser).await.unwrap();
        remembered.push(now);
        let forget = "TRUNCATE notifier.cases, notifier.contacts, notifier.deliveries";
        sqlx::query(forget).execute(&superuser).await.unwrap();
        let from_the_beginning = "UPDATE notifier.checkpoint SET position = 0";
        sqlx::query(from_the_beginning).execute(&superuser).await.unwrap();
    }
    // Ada's first, Bob's second without an address, the three that ended: Bob's first before he had one.
    let states = |told: &serde_json::Value| -> Vec<String> {
        let deliveries = told["deliveries"].as_array().unwrap();
        let state = |delivery: &serde_json::Value| delivery["state"].as_str().unwrap().to_owned();
        deliveries.iter().map(state).collect()
    };
    assert_eq!(
        states(&remembered[0]),
        ["pending", "no_address", "no_address", "pending", "pending"]
    );
    assert_eq!(remembered[0], remembered[1]);
    assert_eq!(remembered[0], remembered[2]);
}
