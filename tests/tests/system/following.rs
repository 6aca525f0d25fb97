//! One command, followed from its sender to the email: a real collector hears every service's part under one trace.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::json;
use system_tests::council::{PATIENCE, SERVICES, accepted, example};
use system_tests::{Council, Process, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

/// A collector of OpenTelemetry, as far as it is asked of: OTLP over HTTP, protobuf.
struct Collector {
    endpoint: String,
    /// Trace id, name and parent of each span.
    heard: Arc<Mutex<BTreeSet<(String, String, String)>>>,
}

impl Collector {
    async fn start() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::default();
        let into = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&into)));
            }
        });
        Collector { endpoint, heard }
    }

    /// The names of the spans of a trace, and their parents.
    fn of(&self, trace: &str) -> Vec<(String, String)> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .filter(|(of, _, _)| of == trace)
            .map(|(_, name, parent)| (name.clone(), parent.clone()))
            .collect()
    }
}

/// Takes what one connection brings.
async fn take(mut stream: TcpStream, heard: Arc<Mutex<BTreeSet<(String, String, String)>>>) {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
        assert!(text.starts_with("post /v1/traces "), "{text}");
        let length = text.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        while bytes.len() < head + length {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "it broke off");
        }
        let request = ExportTraceServiceRequest::decode(&bytes[head..head + length]).unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let spans = request
            .resource_spans
            .into_iter()
            .flat_map(|of| of.scope_spans)
            .flat_map(|of| of.spans);
        heard
            .lock()
            .unwrap()
            .extend(spans.map(|span| (hex(&span.trace_id), span.name, hex(&span.parent_span_id))));
        bytes.drain(..head + length);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    }
}

/// A command as a client would send it that follows it.
fn followed(id: Uuid, name: &str, data: &serde_json::Value, traceparent: &str) -> String {
    json!({
        "specversion": "1.0", "id": id, "type": format!("caseledger.{name}.v1"), "source": "/clients/website",
        "datacontenttype": "application/json", "traceparent": traceparent, "data": data,
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_goes_from_the_command_to_the_email() {
    // Given every service as a process of its own, and a collector
    let council = Council::new().await;
    let collector = Collector::start().await;
    let _services: Vec<Process> = SERVICES
        .iter()
        .map(|service| {
            let mut command = council.command();
            command
                .args(["serve", service])
                .env("CASELEDGER_DATABASE_URL", council.database_url(service))
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint);
            Process::start(&mut command)
        })
        .collect();
    council.answering().await;
    let website = council.client("website").await;
    let customer = council
        .accept(
            &website,
            "RegisterCustomer",
            None,
            example("RegisterCustomer", json!({})),
        )
        .await
        .aggregate_id;
    // When one of two commands carries a traceparent
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let data = example("SubmitRequest", json!({ "customer_id": customer }));
    let body = followed(
        Uuid::new_v4(),
        "SubmitRequest",
        &data,
        &format!("00-{trace}-{parent}-01"),
    );
    let raw = council.raw("website").await;
    let answer = raw
        .request("caseledger.call.website.SubmitRequest", body.into())
        .await
        .unwrap();
    accepted(serde_json::from_slice(&answer.payload).unwrap());
    // Then each service's part of its way is in that trace, beneath what its sender had
    for name in [
        "handle SubmitRequest",
        "append",
        "publish RequestSubmitted",
        "history apply RequestSubmitted",
        "reporting apply RequestSubmitted",
        "notifier apply RequestSubmitted",
        "send request_received",
    ] {
        let found = eventually(&format!("{name} is in the trace"), PATIENCE, || async {
            let spans = collector.of(trace);
            spans.into_iter().find(|(found, _)| found == name)
        })
        .await;
        assert_eq!(found.1 == parent, name != "append", "{name} has the parent {}", found.1);
    }
    // And nothing else is followed
    let traces: BTreeSet<String> = collector
        .heard
        .lock()
        .unwrap()
        .iter()
        .map(|(of, _, _)| of.clone())
        .collect();
    assert_eq!(traces, BTreeSet::from([trace.to_owned()]));
}
