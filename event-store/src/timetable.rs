//! The timetable: what falls due when, worked out from the log. One process at a time keeps it (see [`Leases`](crate::Leases)).
//!
//! It holds nothing that the log does not say. How far it is moves on in one transaction with its rows, so that a keeper that is
//! killed leaves it as it was.

use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use schemas::{AggregateId, Position};

use crate::error::{LedgerError, Reason};

/// How far the timetable is.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TimetableHead {
    /// The position of the log that it has taken in.
    #[sqlx(try_from = "i64")]
    pub position: Position,
    /// The bank holidays and rules that running clocks were last worked out with; empty before the first time.
    pub calendar_version: String,
    /// How often all of them were worked out anew.
    pub recomputed: i64,
    /// The position of the log's last event.
    #[sqlx(try_from = "i64")]
    pub log_position: Position,
}

/// An event that says something about clocks.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClockingEvent {
    /// Its position.
    #[sqlx(try_from = "i64")]
    pub position: Position,
    /// Its stream.
    #[sqlx(try_from = "Uuid")]
    pub aggregate_id: AggregateId,
    /// Its type.
    pub event_type: String,
    /// The version of its payload.
    pub event_version: String,
    /// Its payload.
    pub payload: String,
}

/// One thing to be said of a clock.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DueItem {
    /// The case's stream.
    #[sqlx(try_from = "Uuid")]
    pub stream: AggregateId,
    /// The clock.
    pub clock: String,
    /// What is to be said.
    pub mark: String,
    /// The day or instant that it is due by.
    pub due: String,
    /// The position of the event that says so.
    #[sqlx(try_from = "i64")]
    pub listed_at: Position,
    /// From when on that is true; none of a clock that waits.
    pub at: Option<OffsetDateTime>,
}

/// What some events come to for the timetable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimetableChange {
    /// Streams of which nothing on it counts any more.
    pub cleared: Vec<AggregateId>,
    /// Streams of which only what outlives the case still counts.
    pub ended: Vec<AggregateId>,
    /// What the clocks that outlive a case begin with.
    pub outliving: &'static str,
    /// What is to be said from now on.
    pub items: Vec<DueItem>,
}

/// The timetable of a log.
#[derive(Clone, Debug)]
pub struct Timetable {
    pool: PgPool,
}

impl Timetable {
    /// The pool's role needs the rights of `caseledger_writer`.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// How far it is, and the log.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn head(&self) -> Result<TimetableHead, LedgerError> {
        sqlx::query_as(include_str!("../sql/timetable_head.sql"))
            .fetch_one(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))
    }

    /// The events of these types after a position, up to another and with it.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn events(
        &self,
        after: Position,
        up_to: Position,
        types: &[&str],
    ) -> Result<Vec<ClockingEvent>, LedgerError> {
        sqlx::query_as(include_str!("../sql/timetable_events.sql"))
            .bind(after.0)
            .bind(up_to.0)
            .bind(types)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))
    }

    /// Takes in what the events after `from`, up to `up_to`, come to.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing was taken in, also where another process keeps it by now.
    pub async fn take_in(&self, from: Position, up_to: Position, change: &TimetableChange) -> Result<(), LedgerError> {
        let failed = |error: sqlx::Error| LedgerError::of_read(&error);
        let ids = |streams: &[AggregateId]| streams.iter().map(|stream| stream.uuid()).collect::<Vec<_>>();
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let advanced: Option<i64> = sqlx::query_scalar(include_str!("../sql/timetable_advance.sql"))
            .bind(up_to.0)
            .bind(from.0)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        if advanced.is_none() {
            return Err(LedgerError::Unavailable(Reason::new(
                "somebody else keeps the timetable",
            )));
        }
        if !change.cleared.is_empty() || !change.ended.is_empty() {
            sqlx::query(include_str!("../sql/timetable_clear.sql"))
                .bind(ids(&change.cleared))
                .bind(ids(&change.ended))
                .bind(change.outliving)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        if !change.items.is_empty() {
            let items = &change.items;
            sqlx::query(include_str!("../sql/timetable_insert.sql"))
                .bind(items.iter().map(|item| item.stream.uuid()).collect::<Vec<_>>())
                .bind(items.iter().map(|item| item.clock.as_str()).collect::<Vec<_>>())
                .bind(items.iter().map(|item| item.mark.as_str()).collect::<Vec<_>>())
                .bind(items.iter().map(|item| item.due.as_str()).collect::<Vec<_>>())
                .bind(items.iter().map(|item| item.listed_at.0).collect::<Vec<_>>())
                .bind(items.iter().map(|item| item.at).collect::<Vec<_>>())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// What is true by now, the earliest first.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn due(&self, now: OffsetDateTime, at_most: i64) -> Result<Vec<DueItem>, LedgerError> {
        sqlx::query_as(include_str!("../sql/timetable_due.sql"))
            .bind(now)
            .bind(at_most)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))
    }

    /// It was said, or no longer matters; or it is to be said at another instant.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn said(&self, item: &DueItem, again_at: Option<OffsetDateTime>) -> Result<(), LedgerError> {
        sqlx::query(include_str!("../sql/timetable_said.sql"))
            .bind(item.stream.uuid())
            .bind(&item.clock)
            .bind(&item.mark)
            .bind(&item.due)
            .bind(again_at)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(|error| LedgerError::of_read(&error))
    }

    /// The streams with running clocks after this one, by their ids.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn streams(&self, after: AggregateId, at_most: i64) -> Result<Vec<AggregateId>, LedgerError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(include_str!("../sql/timetable_streams.sql"))
            .bind(after.uuid())
            .bind(at_most)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))?;
        Ok(ids.into_iter().map(AggregateId).collect())
    }

    /// All running clocks were worked out with the bank holidays and rules of this version.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn recomputed(&self, calendar_version: &str) -> Result<(), LedgerError> {
        sqlx::query(include_str!("../sql/timetable_recomputed.sql"))
            .bind(calendar_version)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(|error| LedgerError::of_read(&error))
    }
}
