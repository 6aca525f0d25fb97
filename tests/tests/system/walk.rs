//! One request, all the way: from the bus to the history, the reports and the inbox.

use std::path::Path;

use bus::BusClient;
use schemas::query::{CaseAnswer, CaseQuery, CaseStatus, ReplayRequest};
use schemas::result::Accepted;
use schemas::{AggregateId, Position};
use serde_json::{Value, json};
use system_tests::council::{PATIENCE, accepted, example, obstruction, rejected};
use system_tests::{Council, eventually};

/// What the examples say of their person, and nothing else in the system does.
const PERSONAL: [&str; 6] = [
    "Nwosu",
    "Amara",
    "Orchard Row",
    "amara.nwosu",
    "960144",
    "emptied the rest of the street",
];

/// A customer who wants emails, and a case of theirs that was updated, closed and reopened.
struct Walk {
    customer: AggregateId,
    case: Accepted,
    last: Accepted,
}

async fn walk(council: &Council, website: &BusClient, contact_centre: &BusClient) -> Walk {
    let register = council.command_of("RegisterCustomer", None, example("RegisterCustomer", json!({})));
    let customer = accepted(website.call_until_known(&register).await.unwrap()).aggregate_id;
    let consent = example("RecordConsent", json!({ "on_behalf_of": customer }));
    council
        .accept(contact_centre, "RecordConsent", Some(customer), consent)
        .await;

    let submit = council.command_of(
        "SubmitRequest",
        None,
        example("SubmitRequest", json!({ "customer_id": customer })),
    );
    let first = website.send(&submit).await.unwrap();
    assert_eq!(
        website.send(&submit).await.unwrap(),
        first,
        "a durable command that is repeated has its first result"
    );
    assert_eq!(website.call(&submit).await.unwrap(), first, "called it has the same");
    let case = accepted(first);
    let id = Some(case.aggregate_id);

    council
        .accept(website, "UpdateRequest", id, example("UpdateRequest", json!({})))
        .await;
    council
        .accept(contact_centre, "CloseRequest", id, example("CloseRequest", json!({})))
        .await;
    let last = council
        .accept(website, "ReopenRequest", id, example("ReopenRequest", json!({})))
        .await;
    Walk { customer, case, last }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_travels_from_the_bus_to_the_history_the_reports_and_the_inbox() {
    let council = Council::new().await;
    let _services = council.serve_all().await;
    let (website, contact_centre) = (council.client("website").await, council.client("contact-centre").await);
    let Walk { customer, case, last } = walk(&council, &website, &contact_centre).await;
    let reference = case.reference.clone().unwrap();
    assert!(last.version > case.version && last.position > case.position);

    // The query is answered from the log itself: what was just accepted is there.
    let CaseAnswer::Found { case: found } = website.case(&CaseQuery::Reference(reference.clone())).await.unwrap()
    else {
        panic!("the case is not found");
    };
    assert_eq!(
        (found.status, found.reopened, found.outcome),
        (CaseStatus::Open, 1, None)
    );

    // Four emails: submitted, updated, closed, reopened; each is recorded as an event on the case.
    let owner = council.owner().await;
    let sent = || async {
        let statement =
            "SELECT count(*) FROM ledger.events WHERE aggregate_id = $1 AND event_type = 'NotificationSent'";
        let sent: i64 = sqlx::query_scalar(statement)
            .bind(case.aggregate_id.to_string())
            .fetch_one(&owner)
            .await
            .unwrap();
        sent == 4
    };
    eventually("every notice is recorded on the case", PATIENCE, sent).await;
    let emails = emails(&council.mail_dir());
    assert_eq!(emails.len(), 4, "{emails:?}");
    assert!(
        emails
            .iter()
            .all(|email| email.contains("To: Amara Nwosu <amara.nwosu@example.org>")
                || email.contains("amara.nwosu@example.org"))
    );
    assert!(
        emails
            .iter()
            .all(|email| email.contains("multipart/alternative") && email.contains(reference.as_str()))
    );

    // The history holds all of it, what the contractor is told included, and the reports count it.
    let history = || async {
        let output = council
            .run(&["--json", "case", "history", reference.as_str()], "")
            .await;
        let events: Vec<Value> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (events.len() == 12).then_some(events)
    };
    let events = eventually("the history has every event", PATIENCE, history).await;
    assert_eq!(events[0]["actor"]["kind"], "resident");
    assert_eq!(events[0]["payload"]["description"], "[sealed]");
    let closed = events.iter().find(|event| event["event"] == "RequestClosed").unwrap();
    assert_eq!(closed["payload"]["decided_by"]["id"], "j.okafor");
    let counts = || async {
        let counts = projections::reporting::counts(&owner, None, None).await.unwrap();
        (counts.requests.len() == 1).then_some(counts)
    };
    let counts = eventually("the report counts it", PATIENCE, counts).await;
    assert!(counts.requests[0].reopened && counts.requests[0].requests == 1);

    // An officer who says why may read; that they did is recorded.
    let show = [
        "--json",
        "case",
        "show",
        reference.as_str(),
        "--officer",
        "j.okafor",
        "--reason",
        "the resident rang",
    ];
    let shown: Value = serde_json::from_slice(&council.run(&show, "").await.stdout).unwrap();
    assert_eq!(shown["place"]["description"], "At the side gate of 14 Orchard Row");
    let openings: i64 = sqlx::query_scalar("SELECT count(*) FROM vault.openings")
        .fetch_one(&owner)
        .await
        .unwrap();
    assert_eq!(openings, 1);
    let cases = council
        .run(&["--json", "customer", "history", &customer.to_string()], "")
        .await;
    assert!(String::from_utf8(cases.stdout).unwrap().contains(reference.as_str()));

    nothing_personal_is_in_clear(&council, &owner).await;
}

/// Every email in the folder.
fn emails(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let emails = files.filter(|path| path.extension().is_some_and(|extension| extension == "eml"));
    emails.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// Looks for the person in every table of ours, as text, and in every byte that NATS keeps.
async fn nothing_personal_is_in_clear(council: &Council, owner: &sqlx::PgPool) {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('ledger', 'vault', 'history', 'reporting', 'notifier')",
    )
    .fetch_all(owner)
    .await
    .unwrap();
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(&format!("SELECT row::text FROM {table} AS row"))
            .fetch_all(owner)
            .await
            .unwrap();
        for row in rows {
            for word in PERSONAL {
                assert!(!row.contains(word), "{table} has {word:?} in clear: {row}");
            }
        }
    }
    council.nats.stop().await;
    let mut files = vec![council.nats.store_dir()];
    let mut bytes = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        bytes += content.len();
        // Commands come in open, so this looks at the encryption at rest too.
        for word in PERSONAL.iter().map(|word| word.as_bytes()) {
            assert!(
                !content.windows(word.len()).any(|window| window == word),
                "{} holds a personal value",
                path.display()
            );
        }
    }
    assert!(
        bytes > 10_000,
        "NATS keeps {bytes} bytes: this looked in the wrong place"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_away_is_told_what_it_may_read() {
    let council = Council::new().await;
    let _services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let website = council.client("website").await;
    let missed = json!({ "request_type": "missed-bin", "answers": { "bin_type": "refuse" }, "actor": { "kind": "resident", "assurance": "none" }, "channel": "app" });
    for _ in 0..3 {
        council.accept(&website, "SubmitRequest", None, missed.clone()).await;
        council
            .accept(&website, "SubmitRequest", None, obstruction("Deep"))
            .await;
    }

    let onlooker = council.client("onlooker").await;
    let page = |after, service: Option<&str>| ReplayRequest {
        after: Position(after),
        service: service.map(|name| name.parse().unwrap()),
        limit: Some(4),
    };
    let first: Value = serde_json::from_str(&onlooker.replay(&page(0, None)).await.unwrap()).unwrap();
    let second: Value = serde_json::from_str(
        &onlooker
            .replay(&page(first["up_to"].as_i64().unwrap(), None))
            .await
            .unwrap(),
    )
    .unwrap();
    let events: Vec<&Value> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["events"].as_array().unwrap())
        .collect();
    assert_eq!(events.len(), 6, "{first} {second}");
    assert!(events.iter().all(|event| event["service"] == "waste"));
    assert_eq!(second["up_to"], second["head"]);
    let refused: Value = serde_json::from_str(&onlooker.replay(&page(0, Some("highways"))).await.unwrap()).unwrap();
    assert_eq!(refused["status"], "rejected");

    // A case of a service that it may not read does not exist for it.
    let case = council
        .accept(&website, "SubmitRequest", None, obstruction("Wide"))
        .await;
    let answer = onlooker
        .case(&CaseQuery::Reference(case.reference.unwrap()))
        .await
        .unwrap();
    assert!(matches!(answer, CaseAnswer::Rejected { .. }), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_speaks_for_whom_its_entry_names_and_for_nobody_else() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    council.answering().await;
    let (website, app) = (council.client("website").await, council.client("highways-app").await);
    let case = Some(
        council
            .accept(&website, "SubmitRequest", None, obstruction("Deep"))
            .await
            .aggregate_id,
    );
    let bin = council.accept(&website, "SubmitRequest", None, json!({ "request_type": "missed-bin", "answers": { "bin_type": "food" }, "actor": { "kind": "resident", "assurance": "none" }, "channel": "app" })).await;

    let close = |officer: &str| {
        json!({
            "outcome": "cut", "reasons": "Cut back.", "channel": "officer_found",
            "decided_by": { "kind": "officer", "id": officer },
            "actor": { "kind": "officer", "id": officer, "assurance": "signed_in" },
        })
    };
    let code = |problem: schemas::Problem| (problem.errors[0].pointer.clone(), problem.errors[0].code.clone());
    let expect = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());

    let no_officers = rejected(council.call(&website, "SubmitRequest", None, json!({ "request_type": "pothole", "channel": "phone", "actor": { "kind": "officer", "id": "m.hughes", "assurance": "signed_in" } })).await);
    assert_eq!(code(no_officers), expect("/actor/kind", "actor_not_allowed"));
    let no_right = rejected(council.call(&website, "CloseRequest", case, close("m.hughes")).await);
    assert_eq!(code(no_right), expect("", "command_not_allowed"));
    let other_team = rejected(council.call(&app, "CloseRequest", case, close("j.okafor")).await);
    assert_eq!(code(other_team), expect("/actor/id", "officer_not_allowed"));
    let nobody = rejected(council.call(&app, "CloseRequest", case, close("a.ghost")).await);
    assert_eq!(code(nobody), expect("/actor/id", "unknown_officer"));
    let mut unrecorded = close("m.hughes");
    unrecorded["decided_by"] = json!({ "kind": "not_recorded" });
    assert_eq!(
        code(rejected(council.call(&app, "CloseRequest", case, unrecorded).await)),
        expect("/decided_by", "decider_required")
    );
    let foreign = rejected(council.call(&app, "AssignRequest", Some(bin.aggregate_id), json!({ "team": "highways-inspection", "channel": "officer_found", "actor": { "kind": "officer", "id": "m.hughes", "assurance": "signed_in" } })).await);
    assert_eq!(code(foreign), expect("", "unknown_case"));
    council.accept(&app, "CloseRequest", case, close("m.hughes")).await;
}
