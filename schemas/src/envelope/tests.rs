use super::*;

const ID: &str = "6f7d3a52-8c1e-4b0a-9d53-2f0c8e6b1a47";

fn structured(text: &str) -> Result<CommandEnvelope, Unreadable> {
    CommandEnvelope::read(|_| None, text.as_bytes())
}

#[test]
fn structured_and_binary_say_the_same() {
    let one = structured(&format!(
        r#"{{"specversion":"1.0","id":"{ID}","type":"caseledger.SubmitRequest.v1","source":"/clients/website","data":{{"a": 1}}}}"#
    ))
    .unwrap();
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", ID),
        ("ce-type", "caseledger.SubmitRequest.v1"),
        ("ce-source", "/clients/website"),
        ("content-type", "application/json; charset=utf-8"),
    ];
    let header = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let two = CommandEnvelope::read(header, br#"{"a": 1}"#).unwrap();
    assert_eq!(one, two);
    assert_eq!((one.name.as_str(), one.data.as_str()), ("SubmitRequest", r#"{"a": 1}"#));
    let again = structured(&one.write().unwrap()).unwrap();
    assert_eq!(again, one);
}

#[test]
fn what_cannot_be_read_says_why_and_keeps_the_id_where_there_is_one() {
    for (text, code, has_id) in [
        ("{".to_owned(), "malformed_json", false),
        ("7".to_owned(), "malformed_json", false),
        (format!(r#"{{"id":"{ID}"}}"#), "missing_attribute", true),
        (
            r#"{"specversion":"1.0","id":"seven"}"#.to_owned(),
            "invalid_attribute",
            false,
        ),
        (
            format!(r#"{{"specversion":"0.3","id":"{ID}"}}"#),
            "invalid_attribute",
            true,
        ),
        (
            format!(r#"{{"specversion":"1.0","id":"{ID}","type":"SubmitRequest","source":"x","data":{{}}}}"#),
            "invalid_attribute",
            true,
        ),
        (
            format!(r#"{{"specversion":"1.0","id":"{ID}","type":"caseledger.X.v1","source":"x"}}"#),
            "missing_attribute",
            true,
        ),
        (format!(r#"{{"specversion":1,"id":"{ID}"}}"#), "malformed_json", true),
    ] {
        let refused = structured(&text).unwrap_err();
        assert_eq!((refused.problem.code(), refused.id.is_some()), (code, has_id), "{text}");
    }
    let large = vec![b' '; MAX_BODY_BYTES + 1];
    assert_eq!(
        CommandEnvelope::read(|_| None, &large).unwrap_err().problem.code(),
        "too_large"
    );
    assert_eq!(
        CommandEnvelope::read(|_| None, &[0xff]).unwrap_err().problem.code(),
        "not_utf8"
    );
}

#[test]
fn a_published_event_carries_the_stored_texts_to_the_byte() {
    let service = ServiceName::new("waste").unwrap();
    let payload = r#"{"event":"RequestCancelled",  "x": 1}"#;
    let metadata = r#"{"client":"website","correlation_id":"c","causation_id":"d"}"#;
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
        recorded_at: "2026-11-24T10:00:00Z".parse().unwrap(),
        occurred_at: "2026-11-24T09:00:00Z".parse().unwrap(),
        metadata,
        payload,
    };
    let published: PublishedEvent = serde_json::from_str(&message.write().unwrap()).unwrap();
    assert_eq!(
        (published.data.as_str(), published.metadata.as_str()),
        (payload, metadata)
    );
    assert_eq!(
        (published.kind.as_str(), published.position.as_str()),
        ("caseledger.case.RequestCancelled.v1", "7")
    );
}

#[test]
fn a_traceparent_that_has_not_its_form_is_dropped() {
    assert!(is_traceparent(
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    ));
    assert!(!is_traceparent("00-4BF9-00f067aa0ba902b7-01"));
}
