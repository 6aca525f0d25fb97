//! Rows of the log as its types.

use std::fmt;
use std::str::FromStr;

use schemas::{ClientName, CommandId, EventId, Position, Version};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{ColumnIndex, Decode, Row as _, Type};
use uuid::Uuid;

use crate::error::{LedgerError, Reason};
use crate::ledger::{Receipt, ReceiptStatus, StoredEvent};

/// Reads a column, by its name or its place.
pub(super) fn read<'r, T>(row: &'r PgRow, column: impl ColumnIndex<PgRow>) -> Result<T, LedgerError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(|error| LedgerError::of_read(&error))
}

/// A column whose value has not the form that everything in it was written with.
pub(super) fn unreadable(column: impl fmt::Display) -> LedgerError {
    LedgerError::Broken(Reason::new(format!(
        "column {column} holds what was never written by this release: verify the log"
    )))
}

pub(super) fn parse<T: FromStr>(
    row: &PgRow,
    column: impl ColumnIndex<PgRow> + fmt::Display + Copy,
) -> Result<T, LedgerError> {
    read::<&str>(row, column)?.parse().map_err(|_| unreadable(column))
}

/// An event. Every statement that reads events names the same columns in this order: to look each of them up by its name takes
/// longer than to read it.
pub(super) fn stored_event(row: &PgRow) -> Result<StoredEvent, LedgerError> {
    Ok(StoredEvent {
        position: Position(read(row, 0)?),
        service: parse(row, 1)?,
        service_position: Position(read(row, 2)?),
        event_id: EventId(read(row, 3)?),
        command_id: CommandId(read(row, 4)?),
        client: parse(row, 5)?,
        aggregate_type: read(row, 6)?,
        aggregate_id: parse(row, 7)?,
        sequence: Version(read(row, 8)?),
        event_type: read(row, 9)?,
        event_version: read(row, 10)?,
        payload: read(row, 11)?,
        metadata: read(row, 12)?,
        recorded_at: read(row, 13)?,
        occurred_at: read(row, 14)?,
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
