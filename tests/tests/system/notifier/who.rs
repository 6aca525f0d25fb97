//! Who is told and who is not, and what the notifier's login may do.

use notifier::EMAIL_CONSENT;
use schemas::CaseId;
use schemas::event::NotificationFailure;
use system_tests::database_bare;
use time::Duration;
use vault::ErasureReason;

use super::world::{BEGINNING, World};
use super::{failed, sent};

const ALL_RECORDED: &str = "SELECT count(*) FROM notifier.deliveries WHERE recorded = 'accepted'";

/// Lets a notifier do all that there is to do.
async fn let_it_work(world: &World) {
    let notifier = world.start(world.folder()).await;
    world.until_all_is_done().await;
    notifier.stop().await;
}

/// How the case was told that its customer got no notice, and why.
async fn only_failure(world: &World, case: CaseId) -> (NotificationFailure, Option<String>, u32) {
    let told = failed(world, case).await;
    assert_eq!(told.len(), 1);
    let code = told[0].code.as_ref().map(|code| code.as_str().to_owned());
    (told[0].failure, code, told[0].attempts)
}

#[tokio::test]
async fn what_happened_before_the_cut_over_is_not_told() {
    let database = database_bare().await;
    let owner = database.owner().await;
    vault::migrate(&owner).await.unwrap();
    event_store::migrate(&owner).await.unwrap();
    projections::migrate(&owner).await.unwrap();
    notifier::migrate(&owner, BEGINNING + Duration::HOUR).await.unwrap();
    // The cut-over stays where the first migration set it.
    notifier::migrate(&owner, BEGINNING).await.unwrap();

    let world = World::on(database).await;
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    let case = world.submitted(1, Some(customer)).await;
    world.clock.pass(std::time::Duration::from_micros(3_600_000_000 - 1));
    let last_before = world.submitted(2, Some(customer)).await;
    world.clock.pass(std::time::Duration::from_micros(1));
    let first_after = world.submitted(3, Some(customer)).await;
    // An old case goes on here: that is told.
    world.closed(case, customer, "It stood behind the gate.").await;
    let_it_work(&world).await;
    assert_eq!(world.number("SELECT count(*) FROM notifier.deliveries").await, 2);
    assert_eq!(world.emails().len(), 2);
    assert_eq!(sent(&world, case).await[0].notice.as_str(), "request_closed");
    assert_eq!(
        (
            sent(&world, last_before).await.len(),
            sent(&world, first_after).await.len()
        ),
        (0, 1)
    );
}

#[tokio::test]
async fn who_withdrew_the_consent_to_emails_gets_none_until_it_is_given_again() {
    let world = World::new().await;
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    world.consent(customer, EMAIL_CONSENT, true).await;
    world.consent(customer, EMAIL_CONSENT, false).await;
    // Another purpose is another matter.
    world.consent(customer, "surveys", true).await;
    let withdrawn = world.submitted(1, Some(customer)).await;
    let_it_work(&world).await;
    assert!(world.emails().is_empty());
    let expected = (NotificationFailure::ConsentWithdrawn, None, 0);
    assert_eq!(only_failure(&world, withdrawn).await, expected);

    world.consent(customer, EMAIL_CONSENT, true).await;
    let given = world.submitted(2, Some(customer)).await;
    world.consent(customer, "surveys", false).await;
    let_it_work(&world).await;
    assert_eq!((world.emails().len(), sent(&world, given).await.len()), (1, 1));
}

#[tokio::test]
async fn who_has_no_address_or_is_erased_or_unknown_gets_no_email() {
    let world = World::new().await;
    let silent = world.customer("Grace Hopper", None).await;
    let erased = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    let without_address = world.submitted(1, Some(silent)).await;
    let of_erased = world.submitted(2, Some(erased)).await;
    let anonymous = world.submitted(3, None).await;
    world.vault.erase(erased, ErasureReason::Objection).await.unwrap();
    let_it_work(&world).await;
    world.until(2, ALL_RECORDED).await;
    assert!(world.emails().is_empty());
    assert_eq!(
        only_failure(&world, without_address).await,
        (NotificationFailure::NoAddress, None, 0)
    );
    let expected = (NotificationFailure::NotReadable, None, 0);
    assert_eq!(only_failure(&world, of_erased).await, expected);
    assert!(failed(&world, anonymous).await.is_empty());
}

/// Whether Postgres refuses it for want of a right.
#[tokio::test]
async fn nobody_is_asked_to_book_another_visit_once_their_case_has_ended() {
    let world = World::new().await;
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    let open = world.submitted_as("pest-treatment", 1, Some(customer)).await;
    let ended = world.submitted_as("pest-treatment", 2, Some(customer)).await;
    world.closed(ended, customer, "Nobody was in.").await;
    for case in [open, ended] {
        world.no_access(case, customer).await;
    }
    let_it_work(&world).await;
    assert_eq!(notices(&world, open).await, ["request_received", "appointment_missed"]);
    assert_eq!(notices(&world, ended).await, ["request_received", "request_closed"]);
}

/// The notices that were sent about a case, in the order of what they tell.
async fn notices(world: &World, case: CaseId) -> Vec<String> {
    let sent = sent(world, case).await;
    let mut notices: Vec<_> = sent
        .into_iter()
        .map(|sent| (sent.about_position, sent.notice.to_string()))
        .collect();
    notices.sort();
    notices.into_iter().map(|(_, notice)| notice).collect()
}

#[tokio::test]
async fn the_tables_hold_no_personal_value_in_clear() {
    let world = World::new().await;
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    let case = world.submitted(1, Some(customer)).await;
    world.closed(case, customer, "It stood behind the gate.").await;
    let_it_work(&world).await;
    let rows = "SELECT coalesce(string_agg(shown, ' '), '') FROM (
        SELECT contacts::text AS shown FROM notifier.contacts
        UNION ALL SELECT cases::text FROM notifier.cases
        UNION ALL SELECT deliveries::text FROM notifier.deliveries) AS every";
    let text: String = sqlx::query_scalar(rows).fetch_one(&world.owner).await.unwrap();
    assert!(text.contains("request_closed"), "{text}");
    for personal in ["Ada", "Lovelace", "example.org", "gate"] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
}
