//! CloudEvents, in both forms.
//!
//! The text is headers, one `name: value` a line, an empty line, and the body. Held, whatever the bytes:
//!
//! - An envelope that was read, from either form, reads the same again once it is written as a structured message, and once its
//!   attributes are put into headers.
//! - One that was not read says so with a code of the contract, and with the message's own id or none.
//! - An event's stored texts are read back to the byte from the message that carries them.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use schemas::envelope::{CommandEnvelope, EventMessage, PublishedEvent, Unreadable};
use schemas::{AggregateId, CommandId, EventId, Position, ServiceName, Version};
use serde_json::value::RawValue;
use uuid::Uuid;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (&bytes[..0], bytes),
    };
    let Ok(head) = std::str::from_utf8(head) else {
        return Corpus::Reject;
    };
    let headers: Vec<(String, &str)> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let header = |name: &str| headers.iter().rev().find(|(of, _)| of == name).map(|(_, value)| *value);
    match CommandEnvelope::read(header, body) {
        Ok(envelope) => reads_the_same(&envelope),
        Err(unreadable) => check_refusal(&unreadable, bytes),
    }
    carries(body);
    Corpus::Keep
});

fn reads_the_same(envelope: &CommandEnvelope) {
    let time = envelope.time.map(|time| time.to_string());
    let subject = envelope.subject.map(|subject| subject.uuid().to_string());
    let id = envelope.id.to_string();
    let header = |name: &str| match name {
        "ce-specversion" => Some("1.0"),
        "ce-id" => Some(id.as_str()),
        "ce-type" => Some(envelope.command_type.as_str()),
        "ce-source" => Some(envelope.source.as_str()),
        "ce-subject" => subject.as_deref(),
        "ce-time" => time.as_deref(),
        "ce-correlationid" => envelope.correlation_id.as_deref(),
        "ce-causationid" => envelope.causation_id.as_deref(),
        "ce-traceparent" => envelope.traceparent.as_deref(),
        "content-type" => Some("application/json"),
        _ => None,
    };
    let binary = CommandEnvelope::read(header, envelope.data.as_bytes()).expect("its binary form");
    assert!(binary == *envelope, "the binary form reads as another: {binary:?}");
    // The binary form may carry data that is no JSON; it is refused when the data is read.
    match envelope.write() {
        Ok(written) => {
            let structured = CommandEnvelope::read(|_| None, written.as_bytes()).expect("its structured form");
            assert!(
                structured == *envelope,
                "the structured form reads as another: {written}"
            );
        }
        Err(_) => assert!(
            serde_json::from_str::<&RawValue>(&envelope.data).is_err(),
            "{}",
            envelope.data
        ),
    }
}

fn check_refusal(unreadable: &Unreadable, message: &[u8]) {
    let code = unreadable.problem.code();
    let codes = [
        "too_large",
        "malformed_json",
        "not_utf8",
        "missing_attribute",
        "invalid_attribute",
    ];
    assert!(codes.contains(&code), "{code}");
    assert!(unreadable.problem.errors.iter().all(|fault| fault.pointer.is_empty()));
    // An id can be written in several ways, but its first eight digits stand in all of them, unless they are escaped.
    if let Some(id) = unreadable.id {
        let text = String::from_utf8_lossy(message).to_ascii_lowercase();
        assert!(
            text.contains(&id.to_string()[..8]) || text.contains("\\u"),
            "{id} is of no message"
        );
    }
}

fn carries(body: &[u8]) {
    let _ = serde_json::from_slice::<PublishedEvent>(body);
    let Ok(payload) = std::str::from_utf8(body) else { return };
    let service = ServiceName::new("waste").expect("a name");
    let at = "2026-11-24T10:00:00Z".parse().expect("an instant");
    let message = EventMessage {
        event_id: EventId(Uuid::from_u128(1)),
        aggregate: "case",
        event_type: "RequestCancelled",
        event_version: "1",
        aggregate_id: AggregateId(Uuid::from_u128(2)),
        position: Position(7),
        service: &service,
        service_position: Position(3),
        sequence: Version(2),
        command_id: CommandId(Uuid::from_u128(4)),
        recorded_at: at,
        occurred_at: at,
        // Once as both: what is stored as metadata is JSON too.
        metadata: payload,
        payload,
    };
    let written = message.write().or_else(|_| {
        EventMessage {
            metadata: "{}",
            ..message
        }
        .write()
    });
    let Ok(written) = written else { return };
    let published: PublishedEvent = serde_json::from_str(&written).expect("what was published is read");
    assert_eq!(published.data, payload.trim_matches([' ', '\t', '\r', '\n']));
    assert!(published.metadata == payload || published.metadata == "{}");
}
