//! The seam: what can be asked of the log, and the types that go in and out.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
pub use schemas::command::ExternalRef;
use schemas::sealed::KeyAdmission;
use schemas::{AggregateId, ClientName, CommandId, EventId, Position, Reference, ServiceName, Version};
use time::OffsetDateTime;

use crate::error::LedgerError;

/// An event to be recorded. Its texts are kept to the byte.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id (UUIDv7).
    pub event_id: EventId,
    /// Its name, such as `RequestSubmitted`.
    pub event_type: &'static str,
    /// The version of its payload.
    pub event_version: &'static str,
    /// One JSON object; personal values sealed.
    pub payload: String,
    /// One flat JSON object of strings.
    pub metadata: String,
    /// When it happened, as far as is known. What is finer than a microsecond is lost.
    pub occurred_at: OffsetDateTime,
}

impl fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("event_id", &self.event_id)
            .field("event_type", &self.event_type)
            .field("event_version", &self.event_version)
            .field("occurred_at", &self.occurred_at)
            .finish_non_exhaustive()
    }
}

/// What was decided about a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted, with these events; with none where nothing has to change.
    Accepted {
        /// The case's reference, where it is a case.
        reference: Option<Reference>,
        /// What happens, in order.
        events: Vec<NewEvent>,
    },
    /// It was rejected, for good.
    Rejected {
        /// The problem, as JSON text.
        problem: String,
    },
}

/// A decided command, to be recorded with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Who sent it; with `command_id` the idempotency key.
    pub client: ClientName,
    /// The id that its sender gave it.
    pub command_id: CommandId,
    /// Keyed hash of type, subject and data: what the same id must have in common.
    pub fingerprint: [u8; 32],
    /// `customer` or `case`.
    pub aggregate_type: &'static str,
    /// The stream.
    pub aggregate_id: AggregateId,
    /// The service whose events these are.
    pub service: ServiceName,
    /// The stream's version that the outcome was decided on. It is checked also where there are no events.
    pub expected: Version,
    /// What was decided.
    pub outcome: Outcome,
    /// The command as another system knows it. Not kept of a rejected one.
    pub external_ref: Option<ExternalRef>,
    /// What it asks of the vault. Not asked for a rejected one.
    pub keys: KeyAdmission,
    /// The places that its stream takes in slots, and gives back; in this order.
    pub places: Vec<PlaceChange>,
}

/// A place in a slot that has only so many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceChange {
    /// It is taken, where there is one; its stream has none in this slot yet.
    Take {
        /// The slot.
        slot: String,
        /// How many places the slot has.
        most: u32,
    },
    /// It is given back.
    GiveBack {
        /// The slot.
        slot: String,
    },
}

impl Append {
    /// Its events; none of a rejected one.
    #[must_use]
    pub fn events(&self) -> &[NewEvent] {
        match &self.outcome {
            Outcome::Accepted { events, .. } => events,
            Outcome::Rejected { .. } => &[],
        }
    }
}

/// What became of one command of a batch. Only `Appended` changed anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Recorded now, durably.
    Appended(Receipt),
    /// Recorded before, with the same content: answer what was answered.
    Repeated(Receipt),
    /// The id was used before for other content: reject.
    Reused,
    /// The stream has another version, or rests on a command of the batch that lost: load it and decide again.
    Conflict,
    /// A key is taken, gone, or of an erased person: forget keys and state, and begin again from the open command.
    KeyRefused,
    /// A slot in which it takes a place is full: reject.
    SlotFull,
    /// Another command has this external reference: reject.
    ExternalRefTaken {
        /// The stream that it belongs to.
        aggregate_id: AggregateId,
    },
}

/// How a recorded command went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiptStatus {
    /// It was accepted.
    Accepted,
    /// It was rejected.
    Rejected {
        /// The problem, as JSON text, to the byte.
        problem: String,
    },
}

/// The recorded result of a command. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Who sent it.
    pub client: ClientName,
    /// The id that its sender gave it.
    pub command_id: CommandId,
    /// Keyed hash of what was asked.
    pub fingerprint: [u8; 32],
    /// How it went.
    pub status: ReceiptStatus,
    /// The stream.
    pub aggregate_id: AggregateId,
    /// The case's reference, where it is a case.
    pub reference: Option<Reference>,
    /// The stream's version after it.
    pub version: Version,
    /// The position of its last event; without events, of the log's head when it was recorded.
    pub position: Position,
    /// Its events, in order.
    pub event_ids: Vec<EventId>,
    /// When it was recorded, by the database's clock.
    pub recorded_at: OffsetDateTime,
}

/// An event as it is recorded. It never changes.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the log, contiguous from 1.
    pub position: Position,
    /// The service it belongs to.
    pub service: ServiceName,
    /// Its place among that service's events, contiguous from 1.
    pub service_position: Position,
    /// Its id.
    pub event_id: EventId,
    /// The command that it came from, …
    pub command_id: CommandId,
    /// … and who sent that.
    pub client: ClientName,
    /// `customer` or `case`.
    pub aggregate_type: String,
    /// The stream.
    pub aggregate_id: AggregateId,
    /// Its place in the stream, contiguous from 1.
    pub sequence: Version,
    /// Its name.
    pub event_type: String,
    /// The version of its payload.
    pub event_version: String,
    /// The payload's JSON text, to the byte.
    pub payload: String,
    /// The metadata's JSON text, to the byte.
    pub metadata: String,
    /// When it was recorded, by the database's clock; never earlier than the event before it.
    pub recorded_at: OffsetDateTime,
    /// When it happened, as far as is known.
    pub occurred_at: OffsetDateTime,
}

impl fmt::Debug for StoredEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredEvent")
            .field("position", &self.position)
            .field("event_type", &self.event_type)
            .field("aggregate_id", &self.aggregate_id)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

/// The end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The position of the last event; 0 of an empty log.
    pub position: Position,
    /// When that was recorded.
    pub recorded_at: Option<OffsetDateTime>,
}

/// Word that the log has grown. Only a wake-up: several appends may be told as one, and one may go untold, so whoever waits for it
/// also looks from time to time.
#[async_trait]
pub trait HeadNews: Send {
    /// Returns when something was appended since the last call, when something may have been missed, or after `at_most`. May be
    /// dropped at any moment.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`]: the log is away. Back off, and ask [`Ledger::news`] again.
    async fn changed(&mut self, at_most: Duration) -> Result<(), LedgerError>;
}

/// The log. In Postgres it is [`PgLedger`](crate::PgLedger); a simulation may stand in for it.
///
/// Every call may fail with [`LedgerError::Unavailable`] or [`LedgerError::Broken`]; only `append` with
/// [`LedgerError::Unknown`].
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Records a batch of decided commands; gives the verdicts in the order of the batch. What is `Appended` is durable.
    ///
    /// A loser never touches its neighbours, except those of the same stream that were decided on its events. An error
    /// means that of this batch nothing was recorded, or, where it is `Unknown`, that all or nothing of it was.
    async fn append(&self, batch: &[Append]) -> Result<Vec<Verdict>, LedgerError>;

    /// The events of one stream after a version, in order.
    async fn stream(&self, aggregate_id: AggregateId, after: Version) -> Result<Vec<StoredEvent>, LedgerError>;

    /// Whole streams, ordered by id and sequence.
    async fn streams(&self, ids: &[AggregateId]) -> Result<Vec<StoredEvent>, LedgerError>;

    /// The version of a stream; 0 where it has no events.
    async fn version(&self, aggregate_id: AggregateId) -> Result<Version, LedgerError>;

    /// The log after a position, in order, at most `limit` events; with `services`, only theirs.
    async fn feed(
        &self,
        after: Position,
        services: Option<&[ServiceName]>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, LedgerError>;

    /// The end of the log.
    async fn head(&self) -> Result<Head, LedgerError>;

    /// The recorded result of a command, if there is one.
    async fn receipt(&self, client: &ClientName, command_id: CommandId) -> Result<Option<Receipt>, LedgerError>;

    /// The case that has a reference; none where nobody was given it. Asks the log itself, so that an accepted case is found
    /// from its commit on.
    async fn case_of(&self, reference: &Reference) -> Result<Option<AggregateId>, LedgerError>;

    /// The stream of the command that brought an external reference; none where nobody did.
    async fn stream_of(&self, reference: &ExternalRef) -> Result<Option<AggregateId>, LedgerError>;

    /// How many places are taken in each slot from `first` on and before `end`, in the order of their texts; none of those that nobody
    /// took. True of the moment: another can be faster.
    async fn slots_taken(&self, first: &str, end: &str) -> Result<BTreeMap<String, u32>, LedgerError>;

    /// Word of what is appended from here on.
    async fn news(&self) -> Result<Box<dyn HeadNews>, LedgerError>;

    /// Numbers for references, none ever given twice. Those that are not used leave gaps.
    async fn reference_numbers(&self, count: usize) -> Result<Vec<i64>, LedgerError>;
}
