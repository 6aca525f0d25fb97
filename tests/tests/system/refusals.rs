//! What was answered once is answered the same again, whatever the registers say by then.

use bus::BusClient;
use schemas::AggregateId;
use schemas::result::{CommandResult, CommandStatus};
use serde_json::{Value, json};
use system_tests::Council;
use system_tests::council::{accepted, example, obstruction, rejected};

/// A closing by an officer of the highways team.
fn made_safe() -> Value {
    let officer = json!({ "kind": "officer", "id": "m.hughes", "assurance": "signed_in" });
    json!({ "outcome": "none-needed", "decided_by": { "kind": "officer", "id": "m.hughes" }, "actor": officer })
}

/// Puts an officer register in force by starting the command-service anew with it.
async fn serve_with(council: &Council, officers: &str) -> system_tests::Process {
    std::fs::write(council.path("officers.toml"), officers).unwrap();
    let service = council.serve("command-service");
    council.answering().await;
    service
}

/// The website, the contact centre, and a case that stands open.
async fn with_a_case(council: &Council) -> (BusClient, BusClient, Option<AggregateId>) {
    let (website, contact_centre) = (council.client("website").await, council.client("contact-centre").await);
    let case = council
        .accept(&website, "SubmitRequest", None, obstruction("Deep"))
        .await;
    (website, contact_centre, Some(case.aggregate_id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_durable_command_that_was_refused_stays_refused_and_is_on_record() {
    let council = Council::new().await;
    let officers = std::fs::read_to_string(council.path("officers.toml")).unwrap();
    let mut service = serve_with(&council, "").await;
    let (website, contact_centre) = (council.client("website").await, council.client("contact-centre").await);
    let case = council
        .accept(&website, "SubmitRequest", None, obstruction("Deep"))
        .await;
    let close = council.command_of(
        "CloseRequest",
        Some(case.aggregate_id),
        example("CloseRequest", made_safe()),
    );
    let refused = contact_centre.send(&close).await.unwrap();
    assert_eq!(rejected(refused.clone()).code(), "unknown_officer");
    assert_eq!(
        contact_centre.result(close.id).await.unwrap(),
        refused.clone(),
        "it can be asked for"
    );
    // Malformed data has no stream, no officer, nothing; it is on record all the same.
    let malformed = council.command_of("SubmitRequest", None, json!({ "request_type": 7 }));
    let refused_too = website.send(&malformed).await.unwrap();
    assert!(matches!(refused_too.status, CommandStatus::Rejected { .. }));
    assert_eq!(website.result(malformed.id).await.unwrap(), refused_too);

    service.kill();
    service = serve_with(&council, &officers).await;
    for again in [
        contact_centre.send(&close).await.unwrap(),
        contact_centre.call(&close).await.unwrap(),
    ] {
        assert_eq!(
            again, refused,
            "the officer is in the register by now; the answer stands"
        );
    }
    let afresh = council
        .accept(
            &contact_centre,
            "CloseRequest",
            Some(case.aggregate_id),
            example("CloseRequest", made_safe()),
        )
        .await;
    assert_eq!(afresh.version.0, 2);
    drop(service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_call_that_was_refused_stays_refused_and_a_first_one_may_be_mended() {
    let council = Council::new().await;
    let service = council.serve("command-service");
    council.answering().await;
    let (website, contact_centre, id) = with_a_case(&council).await;
    let reopen = || council.command_of("ReopenRequest", id, example("ReopenRequest", json!({})));
    let (first, repeated) = (reopen(), reopen());
    let refused = website.call_again(&repeated).await.unwrap();
    assert_eq!(rejected(refused.clone()).code(), "not_closed");
    assert_eq!(website.result(repeated.id).await.unwrap(), refused, "it is on record");
    assert_eq!(rejected(website.call(&first).await.unwrap()).code(), "not_closed");
    let unknown = website.result(first.id).await.unwrap().status;
    assert_eq!(unknown, CommandStatus::Unavailable, "it is not");
    // What no stream is needed for to refuse it, likewise.
    let malformed = council.command_of("SubmitRequest", None, json!({ "request_type": 7 }));
    let refused_too = website.call_again(&malformed).await.unwrap();
    assert!(matches!(refused_too.status, CommandStatus::Rejected { .. }));
    assert_eq!(website.result(malformed.id).await.unwrap(), refused_too);

    council
        .accept(
            &contact_centre,
            "CloseRequest",
            id,
            example("CloseRequest", made_safe()),
        )
        .await;
    // A copy of the one that was held up on its way.
    assert_eq!(website.call(&repeated).await.unwrap(), refused);
    assert_eq!(accepted(website.call(&first).await.unwrap()).version.0, 3);
    drop(service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_is_answered_the_same_after_its_officer_has_left() {
    let council = Council::new().await;
    let mut service = council.serve("command-service");
    council.answering().await;
    let (_, contact_centre, id) = with_a_case(&council).await;
    let data = example("CloseRequest", made_safe());
    let close = council.command_of("CloseRequest", id, data.clone());
    let first: CommandResult = contact_centre.call(&close).await.unwrap();
    accepted(first.clone());

    service.kill();
    service = serve_with(&council, "").await;
    assert_eq!(contact_centre.call(&close).await.unwrap(), first);
    assert_eq!(contact_centre.send(&close).await.unwrap(), first);
    let afresh = council.call(&contact_centre, "CloseRequest", id, data).await;
    assert_eq!(rejected(afresh).code(), "unknown_officer");
    drop(service);
}
