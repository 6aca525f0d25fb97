//! Rows of the log as its types.

use schemas::{ClientName, CommandId, EventId, Position, Version};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Decode, FromRow as _, Row as _, Type};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::{LedgerError, Reason};
use crate::ledger::{Receipt, ReceiptStatus, StoredEvent};

/// Reads a column.
pub(super) fn read<'r, T>(row: &'r PgRow, column: &str) -> Result<T, LedgerError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(|error| LedgerError::of_read(&error))
}

/// A column whose value has not the form that everything in it was written with.
pub(super) fn unreadable(column: &str) -> LedgerError {
    LedgerError::Broken(Reason::new(format!(
        "column {column} holds what was never written by this release: verify the log"
    )))
}

pub(super) fn parse<T: std::str::FromStr>(row: &PgRow, column: &str) -> Result<T, LedgerError> {
    read::<&str>(row, column)?.parse().map_err(|_| unreadable(column))
}

/// The columns of an event. Every statement that reads events names the same ones, in this order; to look each of them up by its
/// name takes longer than to read it.
type EventRow<'r> = (
    i64,
    &'r str,
    i64,
    Uuid,
    Uuid,
    &'r str,
    String,
    &'r str,
    i64,
    String,
    String,
    String,
    String,
    OffsetDateTime,
    OffsetDateTime,
);

pub(super) fn stored_event(row: &PgRow) -> Result<StoredEvent, LedgerError> {
    let (
        position,
        service,
        service_position,
        event_id,
        command_id,
        client,
        aggregate_type,
        aggregate_id,
        sequence,
        event_type,
        event_version,
        payload,
        metadata,
        recorded_at,
        occurred_at,
    ) = EventRow::from_row(row).map_err(|error| LedgerError::of_read(&error))?;
    Ok(StoredEvent {
        position: Position(position),
        service: service.parse().map_err(|_| unreadable("service"))?,
        service_position: Position(service_position),
        event_id: EventId(event_id),
        command_id: CommandId(command_id),
        client: client.parse().map_err(|_| unreadable("client"))?,
        aggregate_type,
        aggregate_id: aggregate_id.parse().map_err(|_| unreadable("aggregate_id"))?,
        sequence: Version(sequence),
        event_type,
        event_version,
        payload,
        metadata,
        recorded_at,
        occurred_at,
    })
}

/// A row of `ledger.commands`, its key and fingerprint aside.
pub(super) fn receipt(
    row: &PgRow,
    client: ClientName,
    command_id: CommandId,
    fingerprint: [u8; 32],
) -> Result<Receipt, LedgerError> {
    let problem: Option<String> = read(row, "problem")?;
    let reference: Option<&str> = read(row, "reference")?;
    Ok(Receipt {
        client,
        command_id,
        fingerprint,
        status: problem.map_or(ReceiptStatus::Accepted, |problem| ReceiptStatus::Rejected { problem }),
        aggregate_id: parse(row, "aggregate_id")?,
        reference: reference
            .map(str::parse)
            .transpose()
            .map_err(|_| unreadable("reference"))?,
        version: Version(read(row, "version")?),
        position: Position(read(row, "position")?),
        event_ids: read::<Vec<Uuid>>(row, "event_ids")?.into_iter().map(EventId).collect(),
        recorded_at: read(row, "recorded_at")?,
    })
}
