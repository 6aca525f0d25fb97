//! The leaf: the same for ever, other for every difference, and the same out of a published event.

// Not only the tests themselves but what they share may fail the test.
#![allow(clippy::unwrap_used, clippy::panic)]

use audit::{Hash, Microseconds, Row};
use proptest::prelude::*;
use schemas::envelope::{EventMessage, PublishedEvent};
use schemas::moment::Instant;
use schemas::{AggregateId, CommandId, EventId, Position, ServiceName, Version};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// Made by `leaf_hash` of docs/audit/verify_export.py, which shares no code with this crate.
const GOLDEN: &str = include_str!("golden/leaves.v1.jsonl");

#[derive(Deserialize)]
struct Golden {
    kind: String,
    row: Row,
    leaf: String,
    hash: Hash,
}

fn golden() -> Vec<Golden> {
    GOLDEN.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn leaves_are_for_ever() {
    let golden = golden();
    assert_eq!(golden.len(), 24);
    for Golden { kind, row, leaf, hash } in golden {
        assert_eq!(hex(&row.leaf()), leaf, "{kind}");
        assert_eq!(row.hash(), hash, "{kind}");
    }
}

#[test]
fn every_column_is_in_the_leaf_and_is_named_where_it_differs() {
    let golden = golden();
    let plain = &golden[0].row;
    assert_eq!((golden[0].kind.as_str(), plain.differing(plain).len()), ("plain", 0));
    let columns = serde_json::to_value(plain).unwrap();
    for column in columns.as_object().unwrap().keys() {
        let other = golden.iter().find(|other| other.kind == *column);
        let other = other.unwrap_or_else(|| panic!("there is a golden leaf of a row that differs in {column} alone"));
        assert_eq!(plain.differing(&other.row), [column.as_str()]);
        assert_ne!(plain.leaf(), other.row.leaf(), "{column}");
    }
}

/// A row that an append can have made, as its published form carries it.
fn published() -> impl Strategy<Value = Row> {
    let instant = -5_000_000_000_000_000_i64..7_000_000_000_000_000;
    let ids = (any::<u128>(), any::<u128>(), any::<u128>());
    let numbers = (1..i64::MAX, 1..i64::MAX, 1..i64::MAX);
    let texts = ("[a-z]{1,12}", "[A-Z][A-Za-z]{0,20}", "[0-9]{1,2}", "\\PC{0,40}");
    (ids, numbers, texts, instant.clone(), instant).prop_map(|(ids, numbers, texts, recorded_at, occurred_at)| Row {
        position: Position(numbers.0),
        service: texts.0.clone(),
        service_position: Position(numbers.1),
        event_id: EventId(Uuid::from_u128(ids.0)),
        command_id: CommandId(Uuid::from_u128(ids.1)),
        client: texts.3.clone(),
        event_type: texts.1.clone(),
        event_version: texts.2,
        aggregate_type: texts.0,
        aggregate_id: Uuid::from_u128(ids.2).to_string(),
        sequence: Version(numbers.2),
        recorded_at: Microseconds(recorded_at),
        occurred_at: Microseconds(occurred_at),
        metadata: serde_json::json!({ "client": texts.3, "correlation_id": texts.1 }).to_string(),
        payload: format!(
            "{{ \"event\":  \"{}\" ,\"x\":{}}}",
            texts.1,
            serde_json::json!([texts.3, 0.1])
        ),
    })
}

fn instant(at: Microseconds) -> Instant {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000)
        .unwrap()
        .into()
}

proptest! {
    #[test]
    fn a_consumer_makes_the_same_leaf_out_of_the_published_event(row in published()) {
        let service = ServiceName::new(&row.service).unwrap();
        let message = EventMessage {
            event_id: row.event_id,
            aggregate: &row.aggregate_type,
            event_type: &row.event_type,
            event_version: &row.event_version,
            aggregate_id: row.aggregate_id.parse::<AggregateId>().unwrap(),
            position: row.position,
            service: &service,
            service_position: row.service_position,
            sequence: row.sequence,
            command_id: row.command_id,
            recorded_at: instant(row.recorded_at),
            occurred_at: instant(row.occurred_at),
            metadata: &row.metadata,
            payload: &row.payload,
        };
        let text = message.write().unwrap();
        let heard: PublishedEvent = serde_json::from_str(&text).unwrap();
        let again = Row::of_published(&heard).unwrap();
        prop_assert_eq!(again.differing(&row), Vec::<&str>::new());
        prop_assert_eq!(again.leaf(), row.leaf());
    }

    #[test]
    fn any_changed_byte_of_a_text_changes_the_hash(row in published(), at in any::<prop::sample::Index>()) {
        let mut payload = row.payload.clone().into_bytes();
        let at = at.index(payload.len());
        payload[at] ^= 1;
        if let Ok(payload) = String::from_utf8(payload) {
            prop_assert_ne!(Row { payload, ..row.clone() }.hash(), row.hash());
        }
    }
}

#[test]
fn a_published_event_that_has_not_the_form_makes_no_leaf() {
    let golden = golden();
    let row = &golden[0].row;
    let event = |kind: &str, metadata: &str| PublishedEvent {
        id: row.event_id,
        kind: kind.to_owned(),
        subject: row.aggregate_id.parse().unwrap(),
        time: instant(row.recorded_at),
        position: "7".to_owned(),
        service: ServiceName::new("waste").unwrap(),
        serviceposition: "3".to_owned(),
        streamsequence: "2".to_owned(),
        commandid: row.command_id,
        occurredat: instant(row.occurred_at),
        metadata: metadata.to_owned(),
        data: row.payload.clone(),
    };
    let good = event("caseledger.case.RequestCancelled.v1", &row.metadata);
    assert_eq!(Row::of_published(&good).unwrap(), *row);
    for (kind, metadata) in [
        ("other.case.RequestCancelled.v1", row.metadata.as_str()),
        ("caseledger.case.v1", &row.metadata),
        ("caseledger.case.RequestCancelled.1", &row.metadata),
        ("caseledger.case.RequestCancelled.v1", "{}"),
    ] {
        assert!(Row::of_published(&event(kind, metadata)).is_err(), "{kind} {metadata}");
    }
}
