//! The council asks, the person answers; who waits for whom is seen by both.

use schemas::command::InformationWanted;
use schemas::query::{CaseAnswer, CaseQuery, CaseSummary};
use serde_json::json;
use system_tests::council::{PATIENCE, example, rejected};
use system_tests::{Council, eventually};

async fn summary(client: &bus::BusClient, query: &CaseQuery) -> CaseSummary {
    match client.case(query).await.unwrap() {
        CaseAnswer::Found { case } => *case,
        other => panic!("not found: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_reaches_the_person_and_its_answer_the_case() {
    let council = Council::new().await;
    let _services = council.serve_all().await;
    let (website, contact_centre) = (council.client("website").await, council.client("contact-centre").await);
    let register = example("RegisterCustomer", json!({}));
    let customer = council
        .accept(&website, "RegisterCustomer", None, register)
        .await
        .aggregate_id;
    let consent = example("RecordConsent", json!({ "on_behalf_of": customer }));
    council
        .accept(&contact_centre, "RecordConsent", Some(customer), consent)
        .await;
    let submit = example("SubmitRequest", json!({ "customer_id": customer }));
    let case = council.accept(&website, "SubmitRequest", None, submit).await;
    let (id, query) = (
        Some(case.aggregate_id),
        CaseQuery::Reference(case.reference.clone().unwrap()),
    );

    let early = council
        .call(
            &website,
            "ProvideInformation",
            id,
            example("ProvideInformation", json!({})),
        )
        .await;
    assert_eq!(rejected(early).code(), "not_waiting_for");

    let ask = example("AskForInformation", json!({}));
    let asked = council.accept(&contact_centre, "AskForInformation", id, ask).await;
    assert_eq!(
        summary(&website, &query).await.waiting_for,
        [InformationWanted::Clarification]
    );
    let email = eventually("the question reaches the person", PATIENCE, || async {
        let files = std::fs::read_dir(council.mail_dir()).unwrap();
        let prefix = format!("{}-information_asked_for-", asked.position);
        let file = files.map(|file| file.unwrap().path()).find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
        });
        file.map(|path| std::fs::read_to_string(path).unwrap())
    })
    .await;
    assert!(
        email.contains("Which of the two gates") && email.contains("Wednesday 15 May 2030"),
        "{email}"
    );

    let owner = council.owner().await;
    let waits = "SELECT array_to_string(waiting_for, ',') FROM history.cases";
    let seen = |expected: &'static str| {
        let owner = owner.clone();
        async move {
            eventually("the history knows", PATIENCE, || async {
                let waits: Option<String> = sqlx::query_scalar(waits).fetch_optional(&owner).await.unwrap();
                waits.filter(|waits| waits == expected)
            })
            .await
        }
    };
    seen("clarification").await;
    let reference = case.reference.as_ref().unwrap().to_string();
    let shown = council.run(&["case", "show", &reference], "").await;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("waiting for    clarification") && shown.contains("(collection, a target)"),
        "{shown}"
    );

    council
        .accept(
            &website,
            "ProvideInformation",
            id,
            example("ProvideInformation", json!({})),
        )
        .await;
    let note = council
        .accept(&contact_centre, "AddNote", id, example("AddNote", json!({})))
        .await;
    assert_eq!(summary(&website, &query).await.waiting_for, []);
    seen("").await;

    let sealed =
        "SELECT count(*) FROM ledger.events WHERE payload::text ~ 'gates|garages|depot|Second report|You asked me'";
    let open: i64 = sqlx::query_scalar(sealed).fetch_one(&owner).await.unwrap();
    assert_eq!(open, 0, "questions, answers and notes are sealed");
    let told: Option<i64> = sqlx::query_scalar("SELECT position FROM notifier.deliveries WHERE position = $1")
        .bind(note.position.0)
        .fetch_optional(&owner)
        .await
        .unwrap();
    assert_eq!(told, None, "a note is told to nobody");
}
