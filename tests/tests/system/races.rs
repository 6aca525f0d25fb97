//! Two command-services on one database: whichever answers, each command is decided on the stream as it is.

use std::sync::Arc;

use futures::future::join_all;
use schemas::result::CommandStatus;
use schemas::{AggregateId, Version};
use serde_json::{Value, json};
use system_tests::Council;
use system_tests::council::{accepted, example, obstruction, rejected};

async fn two_services() -> (Arc<Council>, [system_tests::Process; 2]) {
    let council = Arc::new(Council::new().await);
    let services = [council.serve("command-service"), council.serve("command-service")];
    for service in &services {
        service.line("answerer", system_tests::council::PATIENCE).await;
    }
    (council, services)
}

fn update(description: String) -> Value {
    json!({
        "description": description, "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" },
    })
}

/// The names of a stream's events in order, once their versions are seen to be 1, 2, 3, …
async fn events(council: &Council, id: AggregateId) -> Vec<String> {
    let statement = "SELECT sequence, event_type FROM ledger.events WHERE aggregate_id = $1 ORDER BY sequence";
    let rows: Vec<(i64, String)> = sqlx::query_as(statement)
        .bind(id.to_string())
        .fetch_all(&council.owner().await)
        .await
        .unwrap();
    assert!((1..).zip(&rows).all(|(version, row)| row.0 == version), "{rows:?}");
    rows.into_iter().map(|row| row.1).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_cache_on_either_side_neither_writes_nor_rejects() {
    let (council, _services) = two_services().await;
    let (website, contact_centre) = (council.client("website").await, council.client("contact-centre").await);
    let case = council
        .accept(&website, "SubmitRequest", None, obstruction("Deep"))
        .await;
    let id = Some(case.aggregate_id);
    let close = || {
        example(
            "CloseRequest",
            json!({
                "outcome": "none-needed",
                "decided_by": { "kind": "officer", "id": "m.hughes" },
                "actor": { "kind": "officer", "id": "m.hughes", "assurance": "signed_in" },
            }),
        )
    };
    // The bus gives each call to either service by chance: what the other did last is what this one has not seen. Each command
    // is legal only after the one before it, and each wrong one only wrong because of it.
    for round in 0..20 {
        let closed = council.accept(&contact_centre, "CloseRequest", id, close()).await;
        assert_eq!(closed.version, Version(2 * round + 2));
        let problem = rejected(council.call(&contact_centre, "CloseRequest", id, close()).await);
        assert_eq!(problem.code(), "already_closed", "{problem:?}");
        let reopened = council
            .accept(&website, "ReopenRequest", id, example("ReopenRequest", json!({})))
            .await;
        assert_eq!(reopened.version, Version(2 * round + 3));
    }
    assert_eq!(events(&council, case.aggregate_id).await.len(), 41);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_services_racing_on_one_case_and_on_many_lose_no_update_and_show_no_conflict() {
    const SENDERS: usize = 8;
    const EACH: usize = 12;
    let (council, _services) = two_services().await;
    let website = council.client("website").await;
    let contested = council
        .accept(&website, "SubmitRequest", None, obstruction("Deep"))
        .await
        .aggregate_id;
    let senders = (0..SENDERS).map(|sender| {
        let council = Arc::clone(&council);
        tokio::spawn(async move {
            let client = council.client("website").await;
            let own = council
                .accept(&client, "SubmitRequest", None, obstruction("Deep"))
                .await
                .aggregate_id;
            let mut versions = Vec::new();
            for number in 0..EACH {
                let data = update(format!("{sender} saw it {number} times"));
                let (on_contested, on_own) = tokio::join!(
                    council.call(&client, "UpdateRequest", Some(contested), data.clone()),
                    council.call(&client, "UpdateRequest", Some(own), data),
                );
                assert!(
                    matches!(on_contested.status, CommandStatus::Accepted(_)),
                    "{on_contested:?}"
                );
                versions.push(accepted(on_contested).version.0);
                assert_eq!(accepted(on_own).version.0, i64::try_from(number).unwrap() + 2);
            }
            versions
        })
    });
    let mut versions: Vec<i64> = join_all(senders).await.into_iter().flat_map(Result::unwrap).collect();
    versions.sort_unstable();
    let all = i64::try_from(SENDERS * EACH).unwrap();
    assert_eq!(
        versions,
        (2..=all + 1).collect::<Vec<_>>(),
        "each was told a version of its own"
    );
    assert_eq!(events(&council, contested).await.len(), SENDERS * EACH + 1);
}
