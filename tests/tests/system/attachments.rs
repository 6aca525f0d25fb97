//! Files of cases: uploaded, named once, fetched by an officer who says why, and swept away where nobody names them.

use std::time::Duration;

use command_service::{SWEPT_AFTER, keep_files};
use event_store::PgLedger;
use schemas::AggregateId;
use schemas::query::{CaseAnswer, CaseQuery};
use serde_json::{Value, json};
use system_tests::council::rejected;
use time::OffsetDateTime;

use crate::office::Office;

/// A small PNG with what a phone writes beside it: where it was taken.
const PHOTO: &[u8] = include_bytes!("../../../attachments/tests/fixtures/picture.png");

async fn pothole(office: &Office) -> AggregateId {
    let customer = office.registers(json!({})).await;
    let place = json!({ "description": "Mill Lane" });
    let data = json!({ "request_type": "pothole", "customer_id": customer, "place": place });
    office.opens(data).await
}

/// What `caseledger attachment put` answers.
async fn put(office: &Office, name: &str, bytes: &[u8]) -> Value {
    std::fs::write(office.council.path(name), bytes).unwrap();
    let output = office.council.run(&["--json", "attachment", "put", name], "").await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn add(put: &Value, with: Value) -> Value {
    let mut data = json!({
        "id": put["id"], "media_type": put["media_type"], "hash": put["hash"], "key": put["key"], "purpose": "photo",
        "actor": { "kind": "resident" }, "channel": "online",
    });
    data.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_named_once_fetched_for_a_reason_and_is_what_was_uploaded() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    office.council.answering().await;
    let case = pothole(&office).await;
    let uploaded = put(&office, "hole.png", PHOTO).await;
    assert_eq!(uploaded["media_type"], "image/png");
    assert_ne!(
        uploaded["hash"], uploaded["received_hash"],
        "what told of the place was taken out"
    );

    let nowhere = "00000000-0000-4000-8000-000000000001";
    for (with, code, pointer) in [
        (json!({ "hash": "0".repeat(64) }), "other_hash", "/hash"),
        (json!({ "key": "A".repeat(43) }), "other_key", "/key"),
        (json!({ "media_type": "image/jpeg" }), "other_kind", "/media_type"),
        (json!({ "id": nowhere }), "unknown_attachment", "/id"),
    ] {
        let result = office
            .council
            .call(&office.website, "AddAttachment", Some(case), add(&uploaded, with))
            .await;
        let problem = rejected(result);
        assert_eq!((problem.code(), problem.errors[0].pointer.as_str()), (code, pointer));
    }
    office
        .council
        .accept(&office.website, "AddAttachment", Some(case), add(&uploaded, json!({})))
        .await;
    let another = pothole(&office).await;
    let again = office
        .council
        .call(
            &office.website,
            "AddAttachment",
            Some(another),
            add(&uploaded, json!({})),
        )
        .await;
    assert_eq!(rejected(again).code(), "attachment_taken");

    // In the log stands neither the key nor the hash.
    let payload: String =
        sqlx::query_scalar("SELECT payload::text FROM ledger.events WHERE event_type = 'AttachmentAdded'")
            .fetch_one(&office.owner)
            .await
            .unwrap();
    for secret in ["hash", "key"] {
        assert!(!payload.contains(uploaded[secret].as_str().unwrap()), "{payload}");
    }
    let answer = office.website.case(&CaseQuery::Id(schemas::CaseId(case.uuid()))).await;
    let CaseAnswer::Found { case: found } = answer.unwrap() else {
        panic!("no case")
    };
    assert_eq!(found.attachments.len(), 1);

    system_tests::eventually(
        "the history has the file",
        system_tests::council::PATIENCE,
        async || {
            let shown = office
                .council
                .run(&["--json", "case", "show", &case.to_string()], "")
                .await;
            String::from_utf8_lossy(&shown.stdout).contains(uploaded["id"].as_str().unwrap())
        },
    )
    .await;
    let (case, id) = (case.to_string(), uploaded["id"].as_str().unwrap());
    let closed = office
        .council
        .run(&["attachment", "get", &case, id, "--out", "fetched.png"], "")
        .await;
    assert_eq!(closed.status.code(), Some(1), "it stays sealed without an officer");
    let reading = ["--officer", "j.okafor", "--reason", "How deep is it?"];
    let get = ["attachment", "get", &case, id, "--out", "fetched.png"];
    let opened = office.council.run(&[&get[..], &reading[..]].concat(), "").await;
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let fetched = std::fs::read(office.council.path("fetched.png")).unwrap();
    assert!(fetched.starts_with(b"\x89PNG") && fetched.len() < PHOTO.len());
    let opened: i64 = sqlx::query_scalar("SELECT count(*) FROM vault.openings WHERE officer = 'j.okafor'")
        .fetch_one(&office.owner)
        .await
        .unwrap();
    assert_eq!(opened, 1, "who looked is recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_event_names_is_swept_away_and_what_one_names_is_kept() {
    let office = Office::open().await;
    let _service = office.council.serve("command-service");
    office.council.answering().await;
    let case = pothole(&office).await;
    let (named, forgotten) = (put(&office, "a.png", PHOTO).await, put(&office, "b.png", PHOTO).await);
    office
        .council
        .accept(&office.website, "AddAttachment", Some(case), add(&named, json!({})))
        .await;
    let folder = office.council.path("attachments");
    let is_there = |part: &str, put: &Value| folder.join(part).join(put["id"].as_str().unwrap()).exists();
    let store = attachments::AttachmentStore::open(&folder.display().to_string()).unwrap();
    let ledger = PgLedger::new(office.owner.clone());
    let now = OffsetDateTime::now_utc();
    assert_eq!(
        keep_files(&store, &ledger, now + Duration::from_secs(120))
            .await
            .unwrap(),
        0
    );
    assert!(is_there("kept", &named) && !is_there("staged", &named));
    assert!(is_there("staged", &forgotten));
    let a_day_later = now + SWEPT_AFTER + Duration::from_secs(60);
    assert_eq!(keep_files(&store, &ledger, a_day_later).await.unwrap(), 1);
    assert!(is_there("kept", &named) && !is_there("staged", &forgotten));
    // Whoever names it now is told.
    let late = office
        .council
        .call(&office.website, "AddAttachment", Some(case), add(&forgotten, json!({})))
        .await;
    assert_eq!(rejected(late).code(), "unknown_attachment");
}
