//! Fault 10: malformed JSON, invalid UTF-8, members that stand twice, depth 10,000, NaN, NUL, a broken envelope.

use async_nats::HeaderMap;
use serde_json::{Value, json};
use system_tests::council::{PATIENCE, obstruction};
use system_tests::{Council, Running, Traffic, Way, eventually};
use uuid::Uuid;

fn envelope(data: &Value) -> String {
    json!({
        "specversion": "1.0", "id": Uuid::new_v4(), "type": "caseledger.SubmitRequest.v1", "source": "/clients/website",
        "time": "2026-07-01T09:00:00Z", "datacontenttype": "application/json", "data": data,
    })
    .to_string()
}

/// An envelope around what may be no JSON at all.
fn with_data(data: &str) -> String {
    envelope(&json!("HERE")).replace("\"HERE\"", data)
}

/// What can't be read as a command's envelope.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    vec![
        ("nothing", Vec::new()),
        ("half of JSON", b"{\"specversion\":".to_vec()),
        ("no UTF-8", [b"{\"specversion\":\"", &[0xff, 0xfe][..], b"\"}"].concat()),
        (
            "a number that is none",
            with_data("{\"request_type\": NaN}").into_bytes(),
        ),
        ("depth 10,000 of the envelope", deep.into_bytes()),
        (
            "a member twice in the envelope",
            b"{\"id\":\"a\",\"id\":\"b\"}".to_vec(),
        ),
        (
            "an id that is none",
            envelope(&json!({})).replacen("\"id\":\"", "\"id\":\"x", 1).into_bytes(),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_the_rest_flows() {
    let council = std::sync::Arc::new(Council::new().await);
    let mut service = council.serve("command-service");
    council.answering().await;
    let traffic = Traffic::start(&council, Way::Both).await;
    traffic.flow(16).await;
    let website = council.raw("website").await;
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", "application/cloudevents+json");
    for (what, body) in bodies() {
        let request = |body: Vec<u8>| {
            async_nats::Request::new()
                .headers(headers.clone())
                .payload(body.into())
                .timeout(Some(PATIENCE))
        };
        let answer = website
            .send_request("caseledger.call.website.SubmitRequest", request(body.clone()))
            .await
            .unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(answer["status"], "rejected", "{what}: {answer}");
        assert!(answer["problem"]["status"].as_u64().unwrap() < 500, "{what}: {answer}");
        traffic.witness().expects_letter_about(&body);
        website
            .send_request("caseledger.command.website.SubmitRequest", request(body))
            .await
            .unwrap();
    }
    // What can be read as an envelope is answered as any command is, and needs no letter.
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    // The first place that is too deep: a problem stays small, however deep the data are.
    let too_deep = "/0".repeat(32);
    let twice = envelope(&obstruction("x")).replacen("\"channel\"", "\"channel\":\"app\",\"channel\"", 1);
    for (body, pointer) in [
        (with_data(&deep), too_deep.as_str()),
        (with_data("null"), ""),
        (envelope(&json!({ "request_type": "a\u{0}b" })), "/request_type"),
        (envelope(&obstruction("\u{0}")), "/description"),
        (twice, "/channel"),
    ] {
        let request = async_nats::Request::new()
            .headers(headers.clone())
            .payload(body.into())
            .timeout(Some(PATIENCE));
        let answer = website
            .send_request("caseledger.call.website.SubmitRequest", request)
            .await
            .unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(answer["status"], "rejected", "{answer}");
        assert_eq!(answer["problem"]["errors"][0]["pointer"], pointer, "{answer}");
    }

    traffic.flow(16).await;
    let expected = bodies().len();
    eventually("all are put aside", PATIENCE, || async {
        council.letters().await.len() == expected
    })
    .await;
    assert!(service.ended().is_none(), "it was not restarted");
    assert!(!service.output().contains("panicked"), "{}", service.output());
    traffic
        .stop()
        .await
        .assert_kept(&council, Running::CommandService)
        .await;
}
