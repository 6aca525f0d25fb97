//! The walk: silent about every log that appends alone can make, and about no other.

// Not only the tests themselves but what they share may fail the test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;

use audit::export::{ExportCheck, Line, Subject};
use audit::{Checkpoint, Frontier, HeadRow, Kind, Microseconds, ReceiptRow, Row, SigningKey, Walk};
use proptest::prelude::*;
use schemas::{CommandId, EventId, Position, Version};
use uuid::Uuid;
use zeroize::Zeroizing;

/// A command of a made-up log: to which stream, with how many events, and how much later than the one before.
type Made = (u8, u8, i64);

#[derive(Clone, Debug, Default)]
struct Log {
    rows: Vec<Row>,
    receipts: Vec<ReceiptRow>,
}

const SERVICES: [&str; 3] = ["waste", "highways", "registrars"];

impl Log {
    fn of(commands: &[Made]) -> Self {
        let (mut log, mut at) = (Self::default(), 1_795_600_800_000_000);
        let mut versions: HashMap<u8, i64> = HashMap::new();
        let mut services: HashMap<&str, i64> = HashMap::new();
        for (number, (stream, events, later)) in (1_u128..).zip(commands) {
            at += later;
            let aggregate_id = Uuid::from_u128(u128::from(*stream) << 64).to_string();
            let service = SERVICES[usize::from(stream % 3)];
            let (version, place) = (
                versions.entry(*stream).or_default(),
                services.entry(service).or_default(),
            );
            let mut event_ids = Vec::new();
            for event in 0..u128::from(*events) {
                (*version, *place) = (*version + 1, *place + 1);
                let event_id = EventId(Uuid::from_u128(number << 32 | event));
                event_ids.push(event_id);
                log.rows.push(Row {
                    position: Position(log.rows.len() as i64 + 1),
                    service: service.to_owned(),
                    service_position: Position(*place),
                    event_id,
                    command_id: CommandId(Uuid::from_u128(number)),
                    client: "website".to_owned(),
                    event_type: "RequestUpdated".to_owned(),
                    event_version: "1".to_owned(),
                    aggregate_type: "case".to_owned(),
                    aggregate_id: aggregate_id.clone(),
                    sequence: Version(*version),
                    recorded_at: Microseconds(at),
                    occurred_at: Microseconds(at - 7),
                    metadata: "{\"client\":\"website\"}".to_owned(),
                    payload: format!("{{\"event\":{event}}}"),
                });
            }
            log.receipts.push(ReceiptRow {
                client: "website".to_owned(),
                command_id: CommandId(Uuid::from_u128(number)),
                accepted: *events > 0 || stream % 2 == 0,
                aggregate_id,
                version: Version(*version),
                position: Position(log.rows.len() as i64),
                event_ids,
                recorded_at: Microseconds(at),
            });
        }
        log
    }

    fn head(&self) -> HeadRow {
        let last = self.rows.last();
        let position = last.map(|row| row.position).unwrap_or_default();
        HeadRow {
            position,
            recorded_at: last.map(|row| row.recorded_at),
        }
    }

    /// What the walk finds, walked as the log's reader walks it.
    fn found(mut self, head: HeadRow) -> Vec<(Kind, String)> {
        self.rows.sort_by_key(|row| row.position);
        self.receipts
            .sort_by_key(|receipt| (receipt.position, receipt.event_ids.is_empty()));
        let (mut walk, mut receipts) = (Walk::default(), self.receipts.iter().peekable());
        for row in &self.rows {
            while let Some(receipt) = receipts.next_if(|receipt| receipt.position < row.position) {
                walk.receipt(receipt);
            }
            walk.row(row);
        }
        receipts.for_each(|receipt| walk.receipt(receipt));
        walk.end(&[head])
            .iter()
            .map(|finding| (finding.kind, finding.place()))
            .collect()
    }
}

fn commands() -> impl Strategy<Value = Vec<Made>> {
    prop::collection::vec((0_u8..6, 0_u8..4, 0_i64..3), 1..25)
}

proptest! {
    #[test]
    fn it_finds_nothing_in_what_appends_have_made(commands in commands()) {
        let log = Log::of(&commands);
        let head = log.head();
        prop_assert_eq!(log.found(head), vec![]);
    }

    #[test]
    fn it_names_a_row_that_is_gone(commands in commands(), which in any::<prop::sample::Index>()) {
        let mut log = Log::of(&commands);
        prop_assume!(!log.rows.is_empty());
        let head = log.head();
        let gone = log.rows.remove(which.index(log.rows.len())).position;
        let found = log.found(head);
        prop_assert!(found.contains(&(Kind::Missing, gone.to_string())), "{}: {:?}", gone, found);
    }

    #[test]
    fn it_finds_a_receipt_that_was_changed_or_is_gone(commands in commands(), which in any::<prop::sample::Index>(), how in 0..7) {
        let mut log = Log::of(&commands);
        let head = log.head();
        let which = which.index(log.receipts.len());
        let receipt = &mut log.receipts[which];
        let place = receipt.position;
        match how {
            0 => receipt.version.0 += 1,
            1 => receipt.event_ids.push(EventId(Uuid::nil())),
            2 => receipt.recorded_at.0 -= 1_000,
            3 if !receipt.event_ids.is_empty() => receipt.accepted = false,
            4 if !receipt.event_ids.is_empty() => receipt.aggregate_id = Uuid::nil().hyphenated().to_string() + "x",
            5 if !receipt.event_ids.is_empty() => drop(log.receipts.remove(which)),
            6 => receipt.position = Position(head.position.0 + 1),
            _ => return Ok(()),
        }
        // Before the first event there is no time that a refusal could be too early for.
        prop_assume!(!(how == 2 && place == Position(0)));
        let found = log.found(head);
        prop_assert!(found.iter().any(|(kind, _)| *kind == Kind::Receipt), "{:?}", found);
    }
}

#[test]
fn it_finds_a_row_of_which_anything_is_other() {
    let commands = [(1, 2, 5), (2, 1, 5), (1, 1, 5), (4, 3, 5)];
    let change = |change: &dyn Fn(&mut Row)| {
        let mut log = Log::of(&commands);
        let head = log.head();
        change(&mut log.rows[3]);
        log.found(head)
    };
    let at = |kind| (kind, "4".to_owned());
    assert_eq!(change(&|_| ()), []);
    assert!(change(&|row| row.position = Position(3)).contains(&(Kind::Repeated, "3".to_owned())));
    assert!(change(&|row| row.position = Position(9)).contains(&at(Kind::Missing)));
    assert!(change(&|row| row.service_position.0 += 1).contains(&at(Kind::ServiceOrder)));
    assert!(change(&|row| row.service = "waste".to_owned()).contains(&at(Kind::ServiceOrder)));
    assert!(change(&|row| row.sequence.0 += 1).contains(&at(Kind::StreamOrder)));
    assert!(change(&|row| row.aggregate_type = "customer".to_owned()).contains(&at(Kind::StreamOrder)));
    assert!(change(&|row| row.aggregate_id.push('x')).contains(&at(Kind::StreamOrder)));
    assert!(change(&|row| row.recorded_at.0 -= 100).contains(&at(Kind::TimeRunsBack)));
    assert!(change(&|row| row.recorded_at.0 += 1).contains(&at(Kind::Receipt)));
    assert!(change(&|row| row.client = "import".to_owned()).contains(&at(Kind::Client)));
    assert!(change(&|row| row.event_id = EventId(Uuid::nil())).contains(&at(Kind::Receipt)));
    assert!(change(&|row| row.command_id = CommandId(Uuid::nil())).contains(&at(Kind::Receipt)));

    let log = Log::of(&commands);
    let head = log.head();
    let shorter = HeadRow {
        position: Position(5),
        ..head
    };
    assert_eq!(log.clone().found(shorter), [(Kind::Head, "6 to 7".to_owned())]);
    let longer = HeadRow {
        position: Position(9),
        ..head
    };
    assert_eq!(log.clone().found(longer), [(Kind::Missing, "8 to 9".to_owned())]);
    let walk = Walk::default().end(&[head, head]);
    assert_eq!(
        walk.iter().map(|finding| finding.kind).collect::<Vec<_>>(),
        [Kind::Head]
    );
}

fn signer() -> SigningKey {
    SigningKey::new("council.example".parse().unwrap(), &Zeroizing::new([9; 32]))
}

/// An export of the log, as its lines.
fn exported(rows: &[Row]) -> Vec<String> {
    let mut tree = Frontier::default();
    rows.iter().for_each(|row| tree.push(row.hash(), |_, _| {}));
    let origin = signer().verifier().name().clone();
    let note = Checkpoint {
        origin,
        size: tree.size(),
        root: tree.root(),
    }
    .signed(&signer());
    let lines = std::iter::once(Line::header(Subject::Log))
        .chain(rows.iter().map(|row| Line::event(row.clone(), None)))
        .chain([Line::checkpoint(note)]);
    lines.map(|line| serde_json::to_string(&line).unwrap()).collect()
}

fn verified(lines: &[String]) -> bool {
    let mut check = ExportCheck::new(vec![signer().verifier().clone()], Vec::new());
    for line in lines {
        check.line(line);
    }
    check.end().findings.is_empty()
}

proptest! {
    #[test]
    fn an_export_is_believed_whole_and_unchanged_alone(commands in commands(), line in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>()) {
        let lines = exported(&Log::of(&commands).rows);
        prop_assert!(verified(&lines));

        let mut without = lines.clone();
        without.remove(line.index(lines.len()));
        prop_assert!(!verified(&without), "without a line");
        let mut twice = lines.clone();
        twice.insert(line.index(lines.len()), lines[line.index(lines.len())].clone());
        prop_assert!(!verified(&twice), "a line twice");

        let mut changed = lines.clone();
        let at = line.index(lines.len());
        let mut bytes = lines[at].clone().into_bytes();
        let byte = byte.index(bytes.len());
        // Of the names of members, and of what the form leaves open, other bytes may say the same.
        if bytes[byte].is_ascii_digit() {
            bytes[byte] = b'0' + (bytes[byte] - b'0' + 1) % 10;
            changed[at] = String::from_utf8(bytes).unwrap();
            prop_assert!(!verified(&changed), "{}", changed[at]);
        }
    }
}
