//! What goes wrong on the way: a server that refuses or goes silent, a crash, an answer that gets lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use notifier::{NotifierError, Transport};
use schemas::CaseId;
use schemas::CustomerId;
use schemas::event::NotificationFailure;
use system_tests::eventually;
use tokio::sync::Notify;

use super::mail_server::{MailServer, Plan};
use super::world::{SOON, World};
use super::{LogLines, failed, message_id, sent};

const SENT: &str = "SELECT count(*) FROM notifier.deliveries WHERE state = 'sent'";
const RECORDED: &str = "SELECT count(*) FROM notifier.deliveries WHERE recorded = 'accepted'";

async fn one_case(world: &World) -> (CustomerId, CaseId) {
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    (customer, world.submitted(1, Some(customer)).await)
}

/// The one email that the server must have got this often, equal to the byte each time.
fn repeated(server: &MailServer, times: usize) -> String {
    let taken = server.taken();
    assert_eq!(taken.len(), times);
    assert!(taken.iter().all(|email| email.text == taken[0].text), "{taken:?}");
    taken[0].header("Message-ID")
}

#[tokio::test]
async fn a_server_that_fails_is_tried_again_with_the_same_email() {
    let world = World::new().await;
    let (customer, case) = one_case(&world).await;
    let server = MailServer::start([Plan::Refuse("451 busy"), Plan::TakeAndHangUp]).await;
    let notifier = world.start(Transport::smtp(&server.url()).unwrap()).await;
    for (attempts, code) in [(1, "451"), (2, "unreachable")] {
        let query = format!(
            "SELECT count(*) FROM notifier.deliveries
             WHERE state = 'pending' AND attempts = {attempts} AND last_code = '{code}' AND next_attempt_at > queued_at"
        );
        world.until(1, &query).await;
        world.clock.pass(Duration::from_secs(60));
    }
    world.until(1, RECORDED).await;
    notifier.stop().await;
    assert_eq!(
        repeated(&server, 3),
        message_id(&world, case, "RequestSubmitted", customer).await
    );
    let told = sent(&world, case).await;
    assert_eq!((told.len(), told[0].attempts), (1, 3));
}

#[tokio::test]
async fn a_folder_that_can_t_be_written_is_tried_again() {
    let world = World::new().await;
    let (_, case) = one_case(&world).await;
    // A file where the folder should be.
    std::fs::write(world.mail_folder(), "in the way").unwrap();
    let notifier = world.start(world.folder()).await;
    world
        .until(1, "SELECT count(*) FROM notifier.deliveries WHERE last_code = 'folder'")
        .await;
    std::fs::remove_file(world.mail_folder()).unwrap();
    world.clock.pass(Duration::from_secs(60));
    world.until(1, RECORDED).await;
    notifier.stop().await;
    assert_eq!((world.emails().len(), sent(&world, case).await[0].attempts), (1, 2));
}

#[tokio::test]
async fn a_refusal_for_good_is_told_to_the_case_and_not_tried_again() {
    let lines = LogLines::default();
    let _collecting = lines.collect();
    let world = World::new().await;
    let (_, case) = one_case(&world).await;
    let server = MailServer::start([Plan::RefuseRecipient("550 no ada@example.org here")]).await;
    let notifier = world.start(Transport::smtp(&server.url()).unwrap()).await;
    world.until(1, RECORDED).await;
    notifier.stop().await;
    assert!(server.taken().is_empty());
    let told = failed(&world, case).await;
    assert_eq!(
        (told.len(), told[0].failure, told[0].attempts),
        (1, NotificationFailure::GivenUp, 1)
    );
    assert_eq!(told[0].code.as_ref().unwrap().as_str(), "550");
    // The server's words quote the address; the log doesn't.
    let logged = lines.text();
    assert!(logged.contains("a notice is given up"), "nothing was collected");
    assert!(!logged.contains("ada@") && !logged.contains("Lovelace"));
}

#[tokio::test]
async fn a_refusal_that_concerns_the_server_or_us_is_tried_again() {
    let passing = [
        Plan::RefuseRecipient("554 no service for you"),
        Plan::Refuse("554 5.7.1 blocked"),
        Plan::RefuseRecipient("550 5.7.1 your address is on a list"),
        Plan::Refuse("550-5.7.26 we can't tell\r\n550 5.7.26 who you are"),
        Plan::RefuseRecipient("553 5.7.1 not your sender"),
    ];
    let lasting = [
        Plan::RefuseRecipient("550 no such user"),
        Plan::RefuseRecipient("550 5.1.1 no such user"),
        Plan::RefuseRecipient("553 5.1.3 no address"),
        Plan::Refuse("552 5.2.2 mailbox full"),
    ];
    let (few, all) = (passing.len(), passing.len() + lasting.len());
    let world = World::new().await;
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    for number in 1..=i64::try_from(all).unwrap() {
        world.submitted(number, Some(customer)).await;
    }
    let server = MailServer::start(passing.into_iter().chain(lasting)).await;
    let notifier = world.notifier(Transport::smtp(&server.url()).unwrap()).await;
    world.follow(&notifier).await;
    while notifier.dispatcher.send_next(world.clock.now(), 1.0).await.unwrap() {}
    let states = "SELECT state || ' ' || last_code FROM notifier.deliveries ORDER BY position";
    let states: Vec<String> = sqlx::query_scalar(states).fetch_all(&world.owner).await.unwrap();
    let (again, given_up) = states.split_at(few);
    assert_eq!(
        again,
        ["554", "554", "550", "550", "553"].map(|code| format!("pending {code}"))
    );
    assert_eq!(
        given_up,
        ["550", "550", "553", "552"].map(|code| format!("failed {code}"))
    );
}

#[tokio::test]
async fn a_server_that_is_away_over_a_bank_holiday_weekend_loses_nothing() {
    let world = World::new().await;
    one_case(&world).await;
    let server = MailServer::start(vec![Plan::Refuse("451 busy"); 1_000]).await;
    let notifier = world.notifier(Transport::smtp(&server.url()).unwrap()).await;
    world.follow(&notifier).await;
    let (queued_at, step) = (world.clock.now(), Duration::from_secs(15 * 60));
    while world
        .number("SELECT count(*) FROM notifier.deliveries WHERE state = 'pending'")
        .await
        == 1
    {
        world.clock.pass(step);
        // The mean of the waits that chance gives.
        notifier.dispatcher.send_next(world.clock.now(), 0.5).await.unwrap();
    }
    let age = world.clock.now() - queued_at;
    assert!(
        (time::Duration::hours(4 * 24 + 15)..time::Duration::days(6)).contains(&age),
        "{age}"
    );
}

#[tokio::test]
async fn what_can_t_be_read_stops_the_notifier_there_and_what_is_before_it_counts() {
    let world = World::new().await;
    let (customer, _) = one_case(&world).await;
    world.submitted_as("moon-landing", 2, Some(customer)).await;
    let notifier = world.start(world.folder()).await;
    let fault = notifier.ended().await;
    let said = std::error::Error::source(&fault).unwrap().to_string();
    assert!(matches!(fault, NotifierError::Subscription(_)), "{fault}");
    assert!(said.contains("position 3") && said.contains("moon-landing"), "{said}");
    assert_eq!(world.number("SELECT position FROM notifier.checkpoint").await, 2);
    assert_eq!(world.number("SELECT count(*) FROM notifier.deliveries").await, 1);
}

#[tokio::test]
async fn a_crash_between_sending_and_noting_repeats_the_same_message() {
    let world = World::new().await;
    let (customer, case) = one_case(&world).await;
    let server = MailServer::start([Plan::TakeAndWait(Arc::default())]).await;
    let first = world.start(Transport::smtp(&server.url()).unwrap()).await;
    eventually("the server has the email", SOON, || async { server.taken().len() == 1 }).await;
    first.kill().await;
    assert_eq!(world.number(SENT).await, 0);
    world.clock.pass(Duration::from_secs(5));

    let second = world.start(Transport::smtp(&server.url()).unwrap()).await;
    world.until(1, RECORDED).await;
    second.stop().await;
    assert_eq!(
        repeated(&server, 2),
        message_id(&world, case, "RequestSubmitted", customer).await
    );
    assert_eq!(sent(&world, case).await.len(), 1);
}

#[tokio::test]
async fn a_database_that_is_cut_off_while_the_server_answers_repeats_the_same_message() {
    let world = World::new().await;
    let (customer, case) = one_case(&world).await;
    let answer = Arc::new(Notify::new());
    let server = MailServer::start([Plan::TakeAndWait(Arc::clone(&answer))]).await;
    let notifier = world.notifier(Transport::smtp(&server.url()).unwrap()).await;
    world.follow(&notifier).await;
    let now = world.clock.now();
    let cut_off = async {
        eventually("the server has the email", SOON, || async { server.taken().len() == 1 }).await;
        let superuser = world.database.superuser().await;
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'test_caseledger_notifier'";
        let ended: i64 = sqlx::query_scalar(cut).fetch_one(&superuser).await.unwrap();
        assert!(ended > 0);
        answer.notify_one();
    };
    let (attempt, ()) = tokio::join!(notifier.dispatcher.send_next(now, 1.0), cut_off);
    assert!(attempt.unwrap_err().is_transient());
    assert_eq!(world.number(SENT).await, 0);

    assert!(notifier.dispatcher.send_next(now, 1.0).await.unwrap());
    assert!(!notifier.dispatcher.send_next(now, 1.0).await.unwrap());
    assert!(notifier.registrar.record_next(now, 1.0).await.unwrap());
    assert_eq!(
        repeated(&server, 2),
        message_id(&world, case, "RequestSubmitted", customer).await
    );
    assert_eq!(sent(&world, case).await.len(), 1);
}

/// Waits for the attempts to record the delivery, which fail with these codes one after another; lets the clock pass after each.
async fn not_recorded_for(world: &World, codes: &[&str]) {
    for (attempts, code) in (1..).zip(codes) {
        let query = format!(
            "SELECT count(*) FROM notifier.deliveries
             WHERE recorded IS NULL AND record_attempts = {attempts} AND record_code = '{code}'"
        );
        world.until(1, &query).await;
        world.clock.pass(Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_record_without_an_answer_is_repeated_and_recorded_once() {
    let world = World::new().await;
    let (_, case) = one_case(&world).await;
    world.cases.forbidding.store(1, Ordering::Relaxed);
    world.cases.losing.store(2, Ordering::Relaxed);
    let notifier = world.start(world.folder()).await;
    not_recorded_for(&world, &["command_not_allowed", "no_answer", "no_answer"]).await;
    world.until(1, RECORDED).await;
    notifier.stop().await;
    let came = world.cases.came.lock().unwrap().clone();
    assert_eq!(came.len(), 4);
    assert!(came.iter().all(|record| *record == came[0]), "{came:?}");
    assert_eq!((sent(&world, case).await.len(), world.emails().len()), (1, 1));
}

#[tokio::test]
async fn a_case_that_is_hidden_from_the_notifier_is_told_once_somebody_gave_it_the_right() {
    let lines = LogLines::default();
    let _collecting = lines.collect();
    let world = World::new().await;
    let (_, case) = one_case(&world).await;
    world.cases.hiding.store(2, Ordering::Relaxed);
    let notifier = world.start(world.folder()).await;
    not_recorded_for(&world, &["unknown_case"; 2]).await;
    world.until(1, RECORDED).await;
    notifier.stop().await;
    assert_eq!(sent(&world, case).await.len(), 1);
    let logged = lines.text();
    let advice = "in the client register, let it send RecordNotification for the case's service";
    assert!(logged.contains(advice), "{logged}");
}
