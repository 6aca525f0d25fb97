//! A row of the log, and the leaf that it is in the tree.
//!
//! # The leaf, version 1
//!
//! One byte `0x01`, then fifteen fields in the order of [`Row`], each as its length in bytes (32 bits, unsigned, big-endian) and
//! its bytes:
//! - a number is 8 bytes, signed, big-endian;
//! - an instant is a number: microseconds since 1970-01-01T00:00:00Z;
//! - a UUID is its 16 bytes;
//! - a text is its UTF-8, to the byte, as it is stored.
//!
//! The stream's id is a text in the log, and so it is here: 36 bytes, lower case, with hyphens.
//!
//! **This is for ever**: whatever is added to the log later needs another version, beside this one.

use std::fmt;

use schemas::envelope::PublishedEvent;
use schemas::{CommandId, EventId, Position, Version};
use serde::{Deserialize, Serialize};

use crate::tree::{Hash, leaf_hash};

/// The first byte of a leaf.
pub const LEAF_VERSION: u8 = 1;

/// An instant: microseconds since 1970-01-01T00:00:00Z. What no calendar can show, an altered row can still hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Microseconds(pub i64);

impl From<schemas::moment::Instant> for Microseconds {
    fn from(at: schemas::moment::Instant) -> Self {
        let microseconds = at.get().unix_timestamp_nanos() / 1_000;
        // The years 1800 to 2200 fit many times over.
        Self(i64::try_from(microseconds).unwrap_or(i64::MAX))
    }
}

/// A row of `ledger.events`, whole. Texts are as they are stored: whoever altered one need not have kept to any form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its place in the log, from 1; in the tree it is one less.
    pub position: Position,
    /// The service.
    pub service: String,
    /// Its place among the service's events, from 1.
    pub service_position: Position,
    /// Its id.
    pub event_id: EventId,
    /// The command that it came from.
    pub command_id: CommandId,
    /// Who sent that.
    pub client: String,
    /// Its name.
    pub event_type: String,
    /// The version of its payload.
    pub event_version: String,
    /// The kind of stream.
    pub aggregate_type: String,
    /// The stream.
    pub aggregate_id: String,
    /// Its place in the stream, from 1.
    pub sequence: Version,
    /// When it was recorded.
    pub recorded_at: Microseconds,
    /// When it happened.
    pub occurred_at: Microseconds,
    /// The metadata's JSON text.
    pub metadata: String,
    /// The payload's JSON text.
    pub payload: String,
}

/// Does not print the texts: what they seal is nobody's business here.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("position", &self.position)
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}

/// What is in an event's published form that can't have been made from a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the published event has no {0} in the form of the contract: no leaf can be made of it")]
pub struct NoLeaf(pub &'static str);

impl Row {
    /// The row that an event was published from: the published form holds every column. The client's name is in its metadata.
    ///
    /// # Errors
    /// [`NoLeaf`]: which part is not as the contract has it.
    pub fn of_published(event: &PublishedEvent) -> Result<Self, NoLeaf> {
        #[derive(Deserialize)]
        struct Sender {
            client: String,
        }
        let kind = event.kind.strip_prefix("caseledger.").ok_or(NoLeaf("type"))?;
        let mut parts = kind.splitn(3, '.');
        let (aggregate_type, event_type) = parts.next().zip(parts.next()).ok_or(NoLeaf("type"))?;
        let event_version = parts.next().and_then(|version| version.strip_prefix('v'));
        let number = |text: &str, name| text.parse().map_err(|_| NoLeaf(name));
        let sender: Sender = serde_json::from_str(&event.metadata).map_err(|_| NoLeaf("client in its metadata"))?;
        Ok(Self {
            position: Position(number(&event.position, "position")?),
            service: event.service.to_string(),
            service_position: Position(number(&event.serviceposition, "serviceposition")?),
            event_id: event.id,
            command_id: event.commandid,
            client: sender.client,
            event_type: event_type.to_owned(),
            event_version: event_version.ok_or(NoLeaf("type"))?.to_owned(),
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: event.subject.to_string(),
            sequence: Version(number(&event.streamsequence, "streamsequence")?),
            recorded_at: event.time.into(),
            occurred_at: event.occurredat.into(),
            metadata: event.metadata.clone(),
            payload: event.data.clone(),
        })
    }

    /// The row as a leaf.
    #[must_use]
    pub fn leaf(&self) -> Vec<u8> {
        let mut leaf = Vec::with_capacity(self.metadata.len() + self.payload.len() + 400);
        leaf.push(LEAF_VERSION);
        let mut field = |bytes: &[u8]| {
            // No column of Postgres holds more than a gigabyte.
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            leaf.extend_from_slice(&length.to_be_bytes());
            leaf.extend_from_slice(bytes);
        };
        field(&self.position.0.to_be_bytes());
        field(self.service.as_bytes());
        field(&self.service_position.0.to_be_bytes());
        field(self.event_id.uuid().as_bytes());
        field(self.command_id.uuid().as_bytes());
        field(self.client.as_bytes());
        field(self.event_type.as_bytes());
        field(self.event_version.as_bytes());
        field(self.aggregate_type.as_bytes());
        field(self.aggregate_id.as_bytes());
        field(&self.sequence.0.to_be_bytes());
        field(&self.recorded_at.0.to_be_bytes());
        field(&self.occurred_at.0.to_be_bytes());
        field(self.metadata.as_bytes());
        field(self.payload.as_bytes());
        leaf
    }

    /// The leaf's hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        leaf_hash(&self.leaf())
    }

    /// In which columns it differs from another.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        let columns = [
            ("position", self.position != other.position),
            ("service", self.service != other.service),
            ("service_position", self.service_position != other.service_position),
            ("event_id", self.event_id != other.event_id),
            ("command_id", self.command_id != other.command_id),
            ("client", self.client != other.client),
            ("event_type", self.event_type != other.event_type),
            ("event_version", self.event_version != other.event_version),
            ("aggregate_type", self.aggregate_type != other.aggregate_type),
            ("aggregate_id", self.aggregate_id != other.aggregate_id),
            ("sequence", self.sequence != other.sequence),
            ("recorded_at", self.recorded_at != other.recorded_at),
            ("occurred_at", self.occurred_at != other.occurred_at),
            ("metadata", self.metadata != other.metadata),
            ("payload", self.payload != other.payload),
        ];
        columns
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name)
            .collect()
    }
}

/// A row of `ledger.commands`, as far as the log vouches for it: the recorded result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Who sent the command.
    pub client: String,
    /// The command.
    pub command_id: CommandId,
    /// Whether it was accepted.
    pub accepted: bool,
    /// The stream.
    pub aggregate_id: String,
    /// The stream's version after it.
    pub version: Version,
    /// The position of its last event; without events, of the log's head when it was recorded.
    pub position: Position,
    /// Its events, in order.
    pub event_ids: Vec<EventId>,
    /// When it was recorded.
    pub recorded_at: Microseconds,
}

/// The row of `ledger.head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadRow {
    /// The position of the last event.
    pub position: Position,
    /// When that was recorded; none in an empty log.
    pub recorded_at: Option<Microseconds>,
}
