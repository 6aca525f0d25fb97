//! Rows of the log as its types.

use schemas::{AggregateId, ClientName, CommandId, EventId, Position, ServiceName, Version};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Decode, Row as _, Type};
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

pub(super) fn stored_event(row: &PgRow) -> Result<StoredEvent, LedgerError> {
    Ok(StoredEvent {
        position: Position(read(row, "position")?),
        service: parse::<ServiceName>(row, "service")?,
        service_position: Position(read(row, "service_position")?),
        event_id: EventId(read(row, "event_id")?),
        command_id: CommandId(read(row, "command_id")?),
        client: parse::<ClientName>(row, "client")?,
        aggregate_type: read(row, "aggregate_type")?,
        aggregate_id: parse::<AggregateId>(row, "aggregate_id")?,
        sequence: Version(read(row, "sequence")?),
        event_type: read(row, "event_type")?,
        event_version: read(row, "event_version")?,
        payload: read(row, "payload")?,
        metadata: read(row, "metadata")?,
        recorded_at: read(row, "recorded_at")?,
        occurred_at: read(row, "occurred_at")?,
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
