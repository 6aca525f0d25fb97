//! Fault 11: a body one byte over the limit, one of 100 MB, and a long field within it; more durable commands than may wait.

use std::time::Duration;

use async_nats::HeaderMap;
use bus::limits::{COMMANDS_BACKLOG_BYTES, MAX_BODY_BYTES};
use serde_json::{Value, json};
use system_tests::council::{PATIENCE, obstruction};
use system_tests::{Council, Running, Traffic, Way, eventually};
use uuid::Uuid;

/// A command whose body has so many bytes. The field that makes it long is not one that the contract bounds.
fn of_size(bytes: usize) -> Vec<u8> {
    let envelope = json!({
        "specversion": "1.0", "id": Uuid::new_v4(), "type": "caseledger.SubmitRequest.v1", "source": "/clients/website",
        "time": "2026-07-01T09:00:00Z", "datacontenttype": "application/json", "data": obstruction("HERE"),
    })
    .to_string();
    let padding = " ".repeat(bytes - envelope.len());
    // White space between members counts as any other byte does.
    envelope
        .replacen("\"data\":", &format!("\"data\":{padding}"), 1)
        .into_bytes()
}

/// How many durable commands this client has on record.
async fn recorded(council: &Council) -> u64 {
    let statement = "SELECT count(*) FROM ledger.commands WHERE client = 'website'";
    let recorded: i64 = sqlx::query_scalar(statement)
        .fetch_one(&council.owner().await)
        .await
        .unwrap();
    u64::try_from(recorded).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes half a gigabyte: make faults"]
async fn together_as_well_and_what_was_taken_is_not_dropped() {
    let council = Council::new().await;
    let website = council.raw("website").await;
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", "application/cloudevents+json");
    // Nobody takes them: they wait.
    let mut taken = 0;
    let refused = loop {
        let request = async_nats::Request::new()
            .headers(headers.clone())
            .payload(of_size(MAX_BODY_BYTES).into())
            .timeout(Some(PATIENCE));
        let answer = website
            .send_request("caseledger.command.website.SubmitRequest", request)
            .await
            .unwrap();
        let acknowledged: Value = serde_json::from_slice(&answer.payload).unwrap();
        match acknowledged.get("error") {
            Some(refused) => break refused["description"].clone(),
            None => taken += 1,
        }
    };
    assert_eq!(refused, "maximum bytes exceeded");
    let fit = u64::try_from(COMMANDS_BACKLOG_BYTES).unwrap() / MAX_BODY_BYTES as u64;
    assert!((fit * 9 / 10..=fit).contains(&taken), "{taken} were taken");
    let _service = council.serve("command-service");
    eventually("each that was taken is recorded", Duration::from_secs(300), || async {
        recorded(&council).await == taken
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_limit_named() {
    let council = std::sync::Arc::new(Council::new().await);
    let service = council.serve("command-service");
    council.answering().await;
    let traffic = Traffic::start(&council, Way::Call).await;
    traffic.flow(16).await;
    let website = council.raw("website").await;
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", "application/cloudevents+json");
    let call = async |body: Vec<u8>| -> Value {
        let request = async_nats::Request::new()
            .headers(headers.clone())
            .payload(body.into())
            .timeout(Some(PATIENCE));
        let answer = website
            .send_request("caseledger.call.website.SubmitRequest", request)
            .await;
        serde_json::from_slice(&answer.unwrap().payload).unwrap()
    };
    let within = call(of_size(MAX_BODY_BYTES)).await;
    assert_eq!(within["status"], "accepted", "{within}");
    let memory = service.memory();
    for _ in 0..50 {
        let over = call(of_size(MAX_BODY_BYTES + 1)).await;
        assert_eq!(over["problem"]["errors"][0]["code"], "too_large", "{over}");
        assert!(
            over["problem"]["detail"]
                .as_str()
                .unwrap()
                .contains(&MAX_BODY_BYTES.to_string()),
            "{over}"
        );
    }
    let long = "x".repeat(200 * 1024);
    let field = json!({
        "specversion": "1.0", "id": Uuid::new_v4(), "type": "caseledger.SubmitRequest.v1", "source": "/clients/website",
        "time": "2026-07-01T09:00:00Z", "datacontenttype": "application/json", "data": obstruction(&long),
    });
    let answer = call(field.to_string().into_bytes()).await;
    assert_eq!(answer["problem"]["errors"][0]["pointer"], "/description", "{answer}");

    // NATS itself takes no more than a megabyte, and ends the connection of who sends it: the service never sees it.
    let huge = council.raw("website").await;
    assert!(
        MAX_BODY_BYTES < huge.server_info().max_payload,
        "the limit is below that of NATS"
    );
    let body = vec![b'x'; 100 * 1024 * 1024];
    assert!(
        huge.publish("caseledger.call.website.SubmitRequest", body.into())
            .await
            .is_err()
    );

    let grown = service.memory().saturating_sub(memory);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB");
    traffic.flow(16).await;
    let witness = traffic.stop().await;
    eventually("what was within the limit is recorded", PATIENCE, || async {
        recorded(&council).await == 1
    })
    .await;
    witness.assert_kept(&council, Running::CommandService).await;
}
