//! Bad input gets an answer that names the field, and loses nothing.

use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::{Value, json};
use system_tests::council::{PATIENCE, obstruction};
use system_tests::{Council, eventually};
use uuid::Uuid;

fn structured() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", "application/cloudevents+json");
    headers
}

fn envelope(id: Uuid, command: &str, data: Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "type": format!("caseledger.{command}.v1"), "source": "/clients/website",
        "datacontenttype": "application/json", "data": data,
    })
}

async fn call(client: &Client, command: &str, headers: HeaderMap, body: impl Into<Bytes>) -> Value {
    let subject = format!("caseledger.call.website.{command}");
    let request = async_nats::Request::new()
        .headers(headers)
        .payload(body.into())
        .timeout(Some(PATIENCE));
    serde_json::from_slice(&client.send_request(subject, request).await.unwrap().payload).unwrap()
}

/// The pointer and code of the first error.
fn fault(answer: &Value) -> (&str, &str) {
    assert_eq!(answer["status"], "rejected", "{answer}");
    let error = &answer["problem"]["errors"][0];
    (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_bad_input_is_rejected_with_the_field() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    council.answering().await;
    let client = council.raw("website").await;

    let with = |members: Value| {
        let mut data = obstruction("Deep");
        data.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        data
    };
    for (data, pointer) in [
        (with(json!({ "colour": "red" })), "/colour"),
        (with(json!({ "description": 7 })), "/description"),
        (with(json!({ "description": "a\u{7}b" })), "/description"),
        (with(json!({ "received_on": "2026-02-30" })), "/received_on"),
        (with(json!({ "occurred_at": "2126-01-01T00:00:00Z" })), "/occurred_at"),
        // What no clock, calendar or database can hold.
        (
            with(json!({ "occurred_at": "9999-12-31T23:59:59-01:00" })),
            "/occurred_at",
        ),
        (
            with(json!({ "occurred_at": "0000-01-01T00:00:00+01:00" })),
            "/occurred_at",
        ),
        (with(json!({ "received_on": "-9999-01-01" })), "/received_on"),
        (with(json!({ "request_type": "dragon" })), "/request_type"),
        (with(json!({ "channel": "pigeon" })), "/channel"),
        (
            with(json!({ "place": { "latitude": 91.0, "longitude": 0.0 } })),
            "/place/latitude",
        ),
        (with(json!({ "answers": { "depth_mm": "deep" } })), "/answers/depth_mm"),
        (with(json!({ "customer_id": Uuid::new_v4() })), "/customer_id"),
        (json!({ "request_type": "pothole", "channel": "online" }), "/actor"),
        (
            json!({ "request_type": "missed-bin", "channel": "app", "actor": { "kind": "resident", "assurance": "none" } }),
            "/answers/bin_type",
        ),
    ] {
        let id = Uuid::new_v4();
        let answer = call(
            &client,
            "SubmitRequest",
            structured(),
            envelope(id, "SubmitRequest", data.clone()).to_string(),
        )
        .await;
        assert_eq!(fault(&answer).0, pointer, "{data}: {answer}");
        assert_eq!(answer["command_id"], id.to_string());
        assert!(
            !answer.to_string().contains("a\\u0007b"),
            "a problem quotes no personal value"
        );
    }

    let unknown = call(
        &client,
        "MakeTea",
        structured(),
        envelope(Uuid::new_v4(), "MakeTea", json!({})).to_string(),
    )
    .await;
    assert_eq!(fault(&unknown).1, "unknown_command");
    let malformed = call(&client, "SubmitRequest", structured(), "{\"specversion\":").await;
    assert_eq!(malformed["status"], "rejected");
    assert_eq!(malformed["command_id"], Uuid::nil().to_string());
    let twice = envelope(Uuid::new_v4(), "SubmitRequest", obstruction("x"))
        .to_string()
        .replacen("\"request_type\"", "\"channel\":\"app\",\"request_type\"", 1);
    assert_eq!(
        fault(&call(&client, "SubmitRequest", structured(), twice).await).0,
        "/channel",
        "a member that stands twice"
    );
    let deep = envelope(Uuid::new_v4(), "SubmitRequest", json!(0)).to_string().replace(
        "\"data\":0",
        &format!("\"data\":{}{}", "[".repeat(10_000), "]".repeat(10_000)),
    );
    assert_eq!(
        call(&client, "SubmitRequest", structured(), deep).await["status"],
        "rejected"
    );
    let large = envelope(Uuid::new_v4(), "SubmitRequest", obstruction(&"x".repeat(256 * 1024))).to_string();
    let answer = call(&client, "SubmitRequest", structured(), large).await;
    assert_eq!(fault(&answer).1, "too_large", "{answer}");
    let foreign = envelope(Uuid::new_v4(), "SubmitRequest", obstruction("x"))
        .to_string()
        .replace("/clients/website", "/clients/import");
    assert_eq!(
        fault(&call(&client, "SubmitRequest", structured(), foreign).await).1,
        "foreign_source"
    );

    let log: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger.events")
        .fetch_one(&council.owner().await)
        .await
        .unwrap();
    assert_eq!(log, 0, "nothing of all this happened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_id_gives_the_first_result_and_other_content_a_rejection() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    council.answering().await;
    let client = council.raw("website").await;
    let id = Uuid::new_v4();
    let data = obstruction("Deep");
    let first = call(
        &client,
        "SubmitRequest",
        structured(),
        envelope(id, "SubmitRequest", data.clone()).to_string(),
    )
    .await;
    assert_eq!(first["status"], "accepted", "{first}");

    // The mode does not count, nor the time: the data's bytes do.
    let mut binary = HeaderMap::new();
    for (name, value) in [
        ("Content-Type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", &id.to_string()),
        ("ce-type", "caseledger.SubmitRequest.v1"),
        ("ce-source", "/clients/website"),
        ("ce-time", "2026-01-01T00:00:00Z"),
    ] {
        binary.insert(name, value);
    }
    assert_eq!(
        call(&client, "SubmitRequest", binary.clone(), data.to_string()).await,
        first
    );
    let other = call(&client, "SubmitRequest", binary, obstruction("Wide").to_string()).await;
    assert_eq!(fault(&other).1, "id_reused");
    let again = call(
        &client,
        "SubmitRequest",
        structured(),
        envelope(id, "SubmitRequest", data).to_string(),
    )
    .await;
    assert_eq!(again, first, "the first result is untouched");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_from_the_durable_stream_is_put_aside_and_the_rest_flows() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    council.answering().await;
    let client = council.raw("website").await;
    let mut results = client.subscribe("caseledger.result.website.>").await.unwrap();
    let send = async |body: String| {
        let request = async_nats::Request::new()
            .headers(structured())
            .payload(body.into())
            .timeout(Some(PATIENCE));
        let ack = client
            .send_request("caseledger.command.website.SubmitRequest", request)
            .await
            .unwrap();
        assert!(
            String::from_utf8_lossy(&ack.payload).contains("CASELEDGER_COMMANDS"),
            "{ack:?}"
        );
    };
    let ids = [1, 2, 3].map(|_| Uuid::new_v4());
    send("no JSON, with Amara in it".to_owned()).await;
    send(json!({ "specversion": "1.0", "id": ids[0], "type": "caseledger.SubmitRequest.v1", "data": {} }).to_string())
        .await;
    send(envelope(ids[1], "SubmitRequest", json!({ "request_type": "dragon" })).to_string()).await;
    send(envelope(ids[2], "SubmitRequest", obstruction("Deep")).to_string()).await;

    let mut told = std::collections::BTreeMap::new();
    while told.len() < 3 {
        let message = tokio::time::timeout(PATIENCE, results.next())
            .await
            .expect("a result comes")
            .unwrap();
        let result: Value = serde_json::from_slice(&message.payload).unwrap();
        told.insert(
            result["command_id"].as_str().unwrap().to_owned(),
            result["status"].as_str().unwrap().to_owned(),
        );
    }
    // Where the id can be read there is a result, also of what is no command.
    assert_eq!(
        ids.map(|id| told[&id.to_string()].as_str()),
        ["rejected", "rejected", "accepted"]
    );

    let letters = || async { dead_letters(&council).await };
    let letters = eventually("both unreadable messages are put aside", PATIENCE, || async {
        Some(letters().await).filter(|letters| letters.len() == 2)
    })
    .await;
    for letter in &letters {
        assert!(
            letter["reason"].is_string() && letter["digest"].is_string() && letter["sealed_body"].is_string(),
            "{letter}"
        );
        assert!(!letter.to_string().contains("Amara"), "its body is sealed");
    }
}

/// Every dead letter, read as somebody who operates NATS would.
async fn dead_letters(council: &Council) -> Vec<Value> {
    let stream = async_nats::jetstream::new(council.steward().await)
        .get_stream("CASELEDGER_DEADLETTERS")
        .await
        .unwrap();
    let mut letters = Vec::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        letters.push(serde_json::from_slice(&stream.get_raw_message(sequence).await.unwrap().payload).unwrap());
    }
    letters
}
