//! The timeline of a case: its events as the log has them.

use schemas::event::{CaseEvent, EventError};
use schemas::moment::Instant;
use schemas::{CaseId, ClientName, CommandId, CustomerId, EventId, Position, Version};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};

use crate::columns::word;
use crate::history::case::Occurrence;

/// One event of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// The case.
    pub case_id: CaseId,
    /// Where in its stream, from 1.
    pub sequence: Version,
    /// Where in the log.
    pub position: Position,
    /// The event's id.
    pub event_id: EventId,
    /// The command that brought it about.
    pub command_id: CommandId,
    /// What happened, such as `RequestClosed`.
    pub event_type: String,
    /// The version that it was written at.
    pub event_version: String,
    /// When it happened.
    pub occurred_at: Instant,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// The sender of the command.
    pub client: ClientName,
    /// What kind of person or system acted.
    pub actor_kind: String,
    /// Who of that kind; none where nobody is known.
    pub actor_id: Option<String>,
    /// How sure the client was of it.
    pub actor_assurance: String,
    /// The customer acted for.
    pub on_behalf_of: Option<CustomerId>,
    /// How it reached the council.
    pub channel: String,
    /// The payload, to the byte as recorded. What is personal in it is sealed.
    pub payload: String,
    /// The metadata, to the byte as recorded.
    pub metadata: String,
}

impl TimelineEntry {
    /// What happened, read.
    ///
    /// # Errors
    /// As for the log itself.
    pub fn event(&self) -> Result<CaseEvent, EventError> {
        CaseEvent::read(&self.event_type, &self.event_version, &self.payload)
    }

    pub(super) fn occurrence(&self) -> Occurrence {
        Occurrence {
            case_id: self.case_id,
            sequence: self.sequence,
            position: self.position,
            occurred_at: self.occurred_at,
        }
    }
}

impl FromRow<'_, PgRow> for TimelineEntry {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            case_id: CaseId(row.try_get("case_id")?),
            sequence: Version(row.try_get("sequence")?),
            position: Position(row.try_get("position")?),
            event_id: EventId(row.try_get("event_id")?),
            command_id: CommandId(row.try_get("command_id")?),
            event_type: row.try_get("event_type")?,
            event_version: row.try_get("event_version")?,
            occurred_at: Instant::new(row.try_get("occurred_at")?),
            recorded_at: Instant::new(row.try_get("recorded_at")?),
            client: word(row, "client")?,
            actor_kind: row.try_get("actor_kind")?,
            actor_id: row.try_get("actor_id")?,
            actor_assurance: row.try_get("actor_assurance")?,
            on_behalf_of: row.try_get::<Option<_>, _>("on_behalf_of")?.map(CustomerId),
            channel: row.try_get("channel")?,
            payload: row.try_get("payload")?,
            metadata: row.try_get("metadata")?,
        })
    }
}
