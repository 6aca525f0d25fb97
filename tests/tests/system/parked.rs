//! Dead letters: found, sent again once they can be handled, and dropped.

use std::process::Output;

use async_nats::HeaderMap;
use serde_json::{Value, json};
use system_tests::council::{PATIENCE, example, rejected};
use system_tests::{Council, Process, eventually};
use time::OffsetDateTime;
use uuid::Uuid;

/// The call's lines, as JSON.
fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn parked(council: &Council) -> Vec<Value> {
    let output = council.run(&["--json", "bus", "parked"], "").await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&output)
}

/// A command-service whose catalogue knows the contractor's code DOG.
fn serve_with_the_code(council: &Council) -> Process {
    let folder = council.path("mended");
    for built_in in catalogue::files::built_in() {
        let path = folder.join(built_in.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let code = "[rounds.exceptions]\nDOG = { meaning = \"a dog in the way\", points_to = \"access-blocked\" }\n";
        std::fs::write(path, built_in.text.replace("[rounds.exceptions]\n", code)).unwrap();
    }
    let mut command = council.command();
    command
        .args(["serve", "command-service"])
        .env("CASELEDGER_DATABASE_URL", council.database_url("command-service"))
        .env("CASELEDGER_CATALOGUE_DIR", folder);
    Process::start(&mut command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_aside_is_sent_again_once_it_can_be_handled() {
    let council = Council::new().await;
    let mut service = council.serve("command-service");
    council.answering().await;
    let partner = council.client("street-partner").await;
    let today = catalogue::london::day_of(OffsetDateTime::now_utc()).to_string();
    let data = |name: &str| example(name, json!({ "day": today }));
    council
        .accept(
            &partner,
            "RecordScheduledCollections",
            None,
            data("RecordScheduledCollections"),
        )
        .await;
    // Given reports with a code that nobody knows: a structured message and a binary one; and what is no command
    let mut exception = data("RecordCollectionException");
    exception["code"] = json!("DOG");
    let durable = council.command_of("RecordCollectionException", None, exception.clone());
    assert_eq!(rejected(partner.send(&durable).await.unwrap()).code(), "unknown_code");
    let raw = council.raw("street-partner").await;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", &Uuid::new_v4().to_string()),
        ("ce-type", "caseledger.RecordCollectionException.v1"),
        ("ce-source", "/clients/street-partner"),
    ] {
        headers.insert(name, value);
    }
    let subject = "caseledger.command.street-partner.RecordCollectionException";
    raw.publish_with_headers(subject, headers, exception.to_string().into())
        .await
        .unwrap();
    raw.publish(subject, "no JSON".into()).await.unwrap();
    // Then each is listed, with its reason
    let listed = eventually("all are put aside", PATIENCE, || async {
        let listed = parked(&council).await;
        (listed.len() == 3).then_some(listed)
    })
    .await;
    assert_eq!(
        listed.iter().map(|letter| &letter["number"]).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let reason = |letter: &Value| letter["reason"].as_str().unwrap().to_owned();
    let (unknown, unreadable): (Vec<_>, Vec<_>) = listed
        .iter()
        .partition(|letter| reason(letter).contains("no such code"));
    assert_eq!((unknown.len(), unreadable.len()), (2, 1), "{listed:?}");
    let unreadable = unreadable[0]["number"].clone();
    assert!(!format!("{listed:?}").contains("dog"), "{listed:?}");
    // When they are sent again before that is mended, they are put aside again, once each
    let output = council.run(&["--json", "bus", "replay", "--all"], "").await;
    assert_eq!(output.status.code(), Some(1));
    let answers = lines(&output);
    for answer in &answers {
        let expected = if answer["number"] == unreadable {
            "not_sent"
        } else {
            "rejected"
        };
        assert_eq!(answer["status"], json!(expected), "{answers:?}");
    }
    assert_eq!(answers.len(), 3);
    assert_eq!(parked(&council).await.len(), 3);
    // When the catalogue has the code, they are accepted and dropped
    service.stop(PATIENCE).await;
    let _service = serve_with_the_code(&council);
    council.answering().await;
    let numbers: Vec<String> = parked(&council)
        .await
        .iter()
        .filter(|letter| letter["number"] != unreadable)
        .map(|letter| letter["number"].to_string())
        .collect();
    let mut replay = vec!["--json", "bus", "replay"];
    replay.extend(numbers.iter().map(String::as_str));
    let output = council.run(&replay, "").await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(
        lines(&output)
            .iter()
            .all(|answer| answer["status"] == json!("accepted"))
    );
    let recorded: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM ledger.events WHERE metadata::jsonb ->> 'causation_id' <> command_id::text
         AND event_type = 'CollectionExceptionRecorded'",
    )
    .fetch_one(&council.owner().await)
    .await
    .unwrap();
    assert!(recorded >= 1, "the first command stands as the cause");
    // And what is no command stays until somebody drops it
    let left = parked(&council).await;
    assert_eq!((left.len(), &left[0]["number"]), (1, &unreadable));
    let number = unreadable.to_string();
    assert!(council.run(&["bus", "drop", &number], "").await.status.success());
    assert!(parked(&council).await.is_empty());
    assert_eq!(
        council.run(&["bus", "replay", &number], "").await.status.code(),
        Some(2)
    );
}
