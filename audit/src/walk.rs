//! A walk through the whole log, row by row and receipt by receipt: whether it is what appends alone can have made.
//!
//! What it finds needs no evidence from elsewhere. Whoever altered the log with care leaves nothing of this kind; that is what
//! checkpoints are for ([`crate::evidence`]).

use std::collections::HashMap;

use schemas::{CommandId, EventId, Position, Version};
use serde::Deserialize;
use uuid::Uuid;

use crate::finding::{Finding, Findings, Kind};
use crate::row::{HeadRow, Microseconds, ReceiptRow, Row};
use crate::tree::{Hash, leaf_hash};

/// The walk. Rows come by position, each receipt after the row of its position and before the next one; of several at a position
/// the one with events comes first. It remembers a few dozen bytes for each stream, and nothing of a row.
#[derive(Debug, Default)]
pub struct Walk {
    /// The last row's position, …
    last: Position,
    /// … and when it was recorded.
    recorded_at: Option<Microseconds>,
    services: HashMap<String, Position>,
    streams: HashMap<u128, Stream>,
    /// The kinds of streams that were met.
    kinds: Vec<String>,
    command: Option<Command>,
    /// Receipts don't come: an export has none.
    rows_alone: bool,
    findings: Findings,
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    version: Version,
    kind: usize,
}

/// The events of one command, as far as they were met.
#[derive(Debug)]
struct Command {
    client: String,
    id: CommandId,
    aggregate_id: String,
    first: Position,
    last: Position,
    version: Version,
    recorded_at: Microseconds,
    /// What an append writes has one time.
    at_one_time: bool,
    event_ids: Vec<EventId>,
    has_receipt: bool,
}

/// A stream's id as a small key. One that is no UUID as the log writes it has the beginning of a hash.
fn key_of(aggregate_id: &str) -> u128 {
    match Uuid::parse_str(aggregate_id) {
        Ok(id) if id.to_string() == aggregate_id => id.as_u128(),
        _ => {
            let Hash(hash) = leaf_hash(aggregate_id.as_bytes());
            hash.iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
        }
    }
}

impl Walk {
    /// A walk of rows alone, where there are neither receipts nor a head: through an export.
    #[must_use]
    pub fn of_rows_alone() -> Self {
        Self {
            rows_alone: true,
            ..Self::default()
        }
    }

    /// The next row.
    pub fn row(&mut self, row: &Row) {
        self.place(row);
        self.time(row);
        self.service(row);
        self.stream(row);
        self.client(row);
        if !self.rows_alone {
            self.command(row);
        }
        self.last = self.last.max(row.position);
    }

    fn add(&mut self, kind: Kind, position: Position, detail: impl Into<String>) {
        self.findings.add(Finding::at(kind, position, detail));
    }

    fn place(&mut self, row: &Row) {
        let expected = self.last.next();
        if row.position > expected {
            let through = Position(row.position.0 - 1);
            let detail = format!("the log goes on with {}", row.position);
            self.findings
                .add(Finding::between(Kind::Missing, expected, through, detail));
        } else if row.position < expected {
            self.add(Kind::Repeated, row.position, "the position is there more than once");
        }
    }

    fn time(&mut self, row: &Row) {
        if self.recorded_at.is_some_and(|before| row.recorded_at < before) {
            self.add(
                Kind::TimeRunsBack,
                row.position,
                "it was recorded before the event that it follows",
            );
        }
        self.recorded_at = self.recorded_at.max(Some(row.recorded_at));
    }

    fn service(&mut self, row: &Row) {
        let last = self.services.get(&row.service).copied().unwrap_or_default();
        if row.service_position != last.next() {
            let detail = format!(
                "it has number {} in {} and follows {last}",
                row.service_position, row.service
            );
            self.add(Kind::ServiceOrder, row.position, detail);
        }
        self.services.insert(row.service.clone(), row.service_position);
    }

    fn stream(&mut self, row: &Row) {
        let kind = self
            .kinds
            .iter()
            .position(|kind| *kind == row.aggregate_type)
            .unwrap_or_else(|| {
                self.kinds.push(row.aggregate_type.clone());
                self.kinds.len() - 1
            });
        let key = key_of(&row.aggregate_id);
        let before = self.streams.get(&key).copied();
        let last = before.map_or(Version::default(), |stream| stream.version);
        if row.sequence.0 != last.0 + 1 {
            let detail = format!(
                "it has number {} in stream {} and follows {last}",
                row.sequence, row.aggregate_id
            );
            self.add(Kind::StreamOrder, row.position, detail);
        }
        if before.is_some_and(|stream| stream.kind != kind) {
            let detail = format!(
                "stream {} is of another kind than {}",
                row.aggregate_id, row.aggregate_type
            );
            self.add(Kind::StreamOrder, row.position, detail);
        }
        let stream = Stream {
            version: row.sequence,
            kind,
        };
        self.streams.insert(key, stream);
    }

    /// The published form has the client in its metadata alone.
    fn client(&mut self, row: &Row) {
        #[derive(Deserialize)]
        struct Sender<'a> {
            #[serde(borrow)]
            client: std::borrow::Cow<'a, str>,
        }
        let same = serde_json::from_str::<Sender<'_>>(&row.metadata).is_ok_and(|sender| sender.client == row.client);
        if !same {
            self.add(
                Kind::Client,
                row.position,
                "its metadata does not name the client that its row does",
            );
        }
    }

    fn command(&mut self, row: &Row) {
        let goes_on = |command: &&mut Command| {
            !command.has_receipt && command.id == row.command_id && command.client == row.client
        };
        if let Some(command) = self.command.as_mut().filter(goes_on) {
            command.last = row.position;
            command.version = row.sequence;
            command.at_one_time &= command.recorded_at == row.recorded_at;
            command.event_ids.push(row.event_id);
            return;
        }
        self.end_command();
        self.command = Some(Command {
            client: row.client.clone(),
            id: row.command_id,
            aggregate_id: row.aggregate_id.clone(),
            first: row.position,
            last: row.position,
            version: row.sequence,
            recorded_at: row.recorded_at,
            at_one_time: true,
            event_ids: vec![row.event_id],
            has_receipt: false,
        });
    }

    /// No more events of the command come.
    fn end_command(&mut self) {
        if let Some(command) = self.command.take().filter(|command| !command.has_receipt) {
            let detail = format!(
                "command {} of {} has no receipt at the position of its last event",
                command.id, command.client
            );
            self.findings
                .add(Finding::between(Kind::Receipt, command.first, command.last, detail));
        }
    }

    /// The next receipt.
    pub fn receipt(&mut self, receipt: &ReceiptRow) {
        let wrong = if receipt.event_ids.is_empty() {
            self.without_events(receipt)
        } else {
            self.with_events(receipt)
        };
        if let Some(wrong) = wrong {
            let detail = format!(
                "the receipt of command {} of {}: {wrong}",
                receipt.command_id, receipt.client
            );
            self.add(Kind::Receipt, receipt.position, detail);
        }
    }

    fn with_events(&mut self, receipt: &ReceiptRow) -> Option<String> {
        let is_its = |command: &&mut Command| {
            !command.has_receipt && command.id == receipt.command_id && command.client == receipt.client
        };
        let Some(command) = self.command.as_mut().filter(is_its) else {
            return Some("its events are not at its position".to_owned());
        };
        command.has_receipt = true;
        let differing = [
            ("position", command.last != receipt.position),
            ("version", command.version != receipt.version),
            ("events", command.event_ids != receipt.event_ids),
            ("stream", command.aggregate_id != receipt.aggregate_id),
            (
                "time",
                command.recorded_at != receipt.recorded_at || !command.at_one_time,
            ),
            ("status", !receipt.accepted),
        ];
        let differing: Vec<_> = differing
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name)
            .collect();
        (!differing.is_empty()).then(|| format!("its events say otherwise about {}", differing.join(", ")))
    }

    fn without_events(&self, receipt: &ReceiptRow) -> Option<String> {
        let version = self
            .streams
            .get(&key_of(&receipt.aggregate_id))
            .map_or(Version::default(), |stream| stream.version);
        if receipt.position > self.last {
            return Some("its position is past the end of the log".to_owned());
        }
        if receipt.version != version {
            return Some(format!(
                "its stream had version {version} then, not {}",
                receipt.version
            ));
        }
        self.recorded_at
            .is_some_and(|before| receipt.recorded_at < before)
            .then(|| "it was recorded before the event at its position".to_owned())
    }

    /// Nothing more comes: gives what was found in rows alone.
    #[must_use]
    pub fn end_of_rows(self) -> Findings {
        self.findings
    }

    /// Nothing more comes: compares the rows that say where the log ends (there is one), and gives what was found.
    #[must_use]
    pub fn end(mut self, heads: &[HeadRow]) -> Findings {
        self.end_command();
        let recorded_at = self.recorded_at;
        match heads {
            [head] if head.position > self.last => {
                let detail = format!("the head says that the log ends at {}", head.position);
                self.findings
                    .add(Finding::between(Kind::Missing, self.last.next(), head.position, detail));
            }
            [head] if head.position < self.last => {
                let detail = format!("the head says that the log ends at {}", head.position);
                self.findings
                    .add(Finding::between(Kind::Head, head.position.next(), self.last, detail));
            }
            [head] if head.recorded_at != recorded_at => {
                self.add(
                    Kind::Head,
                    head.position,
                    "the head has another time than the last event",
                );
            }
            [_] => {}
            _ => self.findings.add(Finding::of(
                Kind::Head,
                format!("the log has {} heads, not one", heads.len()),
            )),
        }
        self.findings
    }
}
