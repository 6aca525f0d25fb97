//! The log as it was at one moment, whole and as it is stored: for whoever audits it.
//!
//! An auditor can't read through types that say what a row may hold: an altered row holds what it likes. So a [`Row`] has texts
//! where the log's own types would refuse, and an instant may be one that no calendar shows.

use std::collections::VecDeque;

use audit::{HeadRow, Microseconds, ReceiptRow, Row};
use schemas::{AggregateId, CommandId, EventId, Position, Reference, Version};
use sqlx::postgres::{PgRow, PgTypeInfo, PgValueRef, Postgres};
use sqlx::{Decode, PgPool, Row as _, Transaction, Type};

use crate::error::LedgerError;

/// Microseconds from 1970 to the beginning of 2000, which Postgres counts from.
const FROM_1970_TO_2000: i64 = 946_684_800_000_000;

/// One moment of the log: every read is of the same. It holds one connection, and keeps Postgres from tidying up behind it: let go of it
/// when done. Its role needs the rights of `caseledger_auditor`.
#[derive(Debug)]
pub struct Snapshot {
    transaction: Transaction<'static, Postgres>,
    rows: Option<VecDeque<Row>>,
    receipts: Option<VecDeque<ReceiptRow>>,
}

impl Snapshot {
    /// The log as it is now.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] or [`LedgerError::Broken`], here and in every other call.
    pub async fn take(pool: &PgPool) -> Result<Self, LedgerError> {
        let mut transaction = pool.begin().await.map_err(|error| LedgerError::of_read(&error))?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .execute(&mut *transaction)
            .await
            .map_err(|error| LedgerError::of_read(&error))?;
        Ok(Self {
            transaction,
            rows: None,
            receipts: None,
        })
    }

    /// The rows that say where the log ends: one, unless somebody had a hand in it.
    ///
    /// # Errors
    /// See [`Self::take`].
    pub async fn heads(&mut self) -> Result<Vec<HeadRow>, LedgerError> {
        let rows = self.all(sqlx::query(include_str!("../sql/head.sql"))).await?;
        let head = |row: &PgRow| {
            let recorded_at: Option<Stored> = read(row, "recorded_at")?;
            Ok(HeadRow {
                position: Position(read(row, "position")?),
                recorded_at: recorded_at.map(|at| at.0),
            })
        };
        rows.iter().map(head).collect()
    }

    /// From now on [`Self::next_row`] gives the log after this position.
    ///
    /// # Errors
    /// See [`Self::take`].
    pub async fn read_after(&mut self, position: Position) -> Result<(), LedgerError> {
        if self.rows.take().is_some() {
            self.all(sqlx::query("CLOSE audit_rows")).await?;
        }
        self.all(sqlx::query(include_str!("../sql/audit_rows.sql")).bind(position.0))
            .await?;
        self.rows = Some(VecDeque::new());
        Ok(())
    }

    /// The next row of the log, by position; none at its end.
    ///
    /// # Errors
    /// See [`Self::take`].
    pub async fn next_row(&mut self) -> Result<Option<Row>, LedgerError> {
        if self.rows.is_none() {
            self.read_after(Position::START).await?;
        }
        if self.rows.as_ref().is_some_and(VecDeque::is_empty) {
            let page = self
                .all(sqlx::query(include_str!("../sql/audit_rows_next.sql")))
                .await?;
            self.rows = Some(page.iter().map(row).collect::<Result<_, _>>()?);
        }
        Ok(self.rows.as_mut().and_then(VecDeque::pop_front))
    }

    /// The next receipt, by position, of several at one the one with events first; none after the last.
    ///
    /// # Errors
    /// See [`Self::take`].
    pub async fn next_receipt(&mut self) -> Result<Option<ReceiptRow>, LedgerError> {
        if self.receipts.is_none() {
            self.all(sqlx::query(include_str!("../sql/audit_receipts.sql"))).await?;
            self.receipts = Some(VecDeque::new());
        }
        if self.receipts.as_ref().is_some_and(VecDeque::is_empty) {
            let page = self
                .all(sqlx::query(include_str!("../sql/audit_receipts_next.sql")))
                .await?;
            self.receipts = Some(page.iter().map(receipt).collect::<Result<_, _>>()?);
        }
        Ok(self.receipts.as_mut().and_then(VecDeque::pop_front))
    }

    /// The rows of one stream, by sequence.
    ///
    /// # Errors
    /// See [`Self::take`].
    pub async fn stream(&mut self, aggregate_id: AggregateId) -> Result<Vec<Row>, LedgerError> {
        let query = sqlx::query(include_str!("../sql/stream.sql"));
        let rows = self.all(query.bind(aggregate_id.to_string()).bind(0_i64)).await?;
        rows.iter().map(row).collect()
    }

    /// The case that has a reference; none where nobody was given it.
    ///
    /// # Errors
    /// See [`Self::take`].
    pub async fn case_of(&mut self, reference: &Reference) -> Result<Option<AggregateId>, LedgerError> {
        let query = sqlx::query(include_str!("../sql/case_of.sql")).bind(reference.as_str());
        let rows = self.all(query).await?;
        let id = rows.first().map(|row| read::<&str>(row, "aggregate_id")).transpose()?;
        Ok(id.and_then(|id| id.parse().ok()))
    }

    async fn all(
        &mut self,
        query: sqlx::query::Query<'_, Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<Vec<PgRow>, LedgerError> {
        query
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(|error| LedgerError::of_read(&error))
    }
}

/// A `timestamptz` as it is stored. Those that no calendar shows, infinity among them, are at the ends.
struct Stored(Microseconds);

impl Type<Postgres> for Stored {
    fn type_info() -> PgTypeInfo {
        <time::OffsetDateTime as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Stored {
    fn decode(value: PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        let since_2000 = <i64 as Decode<Postgres>>::decode(value)?;
        Ok(Self(Microseconds(since_2000.saturating_add(FROM_1970_TO_2000))))
    }
}

fn read<'r, T>(row: &'r PgRow, column: &str) -> Result<T, LedgerError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column).map_err(|error| LedgerError::of_read(&error))
}

fn row(row: &PgRow) -> Result<Row, LedgerError> {
    Ok(Row {
        position: Position(read(row, "position")?),
        service: read(row, "service")?,
        service_position: Position(read(row, "service_position")?),
        event_id: EventId(read(row, "event_id")?),
        command_id: CommandId(read(row, "command_id")?),
        client: read(row, "client")?,
        event_type: read(row, "event_type")?,
        event_version: read(row, "event_version")?,
        aggregate_type: read(row, "aggregate_type")?,
        aggregate_id: read(row, "aggregate_id")?,
        sequence: Version(read(row, "sequence")?),
        recorded_at: read::<Stored>(row, "recorded_at")?.0,
        occurred_at: read::<Stored>(row, "occurred_at")?.0,
        metadata: read(row, "metadata")?,
        payload: read(row, "payload")?,
    })
}

fn receipt(row: &PgRow) -> Result<ReceiptRow, LedgerError> {
    let event_ids: Vec<uuid::Uuid> = read(row, "event_ids")?;
    Ok(ReceiptRow {
        client: read(row, "client")?,
        command_id: CommandId(read(row, "command_id")?),
        accepted: read(row, "accepted")?,
        aggregate_id: read(row, "aggregate_id")?,
        version: Version(read(row, "version")?),
        position: Position(read(row, "position")?),
        event_ids: event_ids.into_iter().map(EventId).collect(),
        recorded_at: read::<Stored>(row, "recorded_at")?.0,
    })
}
