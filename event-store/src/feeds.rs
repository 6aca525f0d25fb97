//! The places that events have in contractors' feeds. One process at a time gives them (see [`Leases`](crate::Leases)).
//!
//! It holds nothing that the log does not say: which events are told to a contractor their payload names, counted in the order
//! of the log.

use schemas::{AggregateId, ClientName, EventId, Position, Version};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::{LedgerError, Reason};

/// How far the feeds are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FeedsHead {
    /// The position up to which events have their places.
    #[sqlx(try_from = "i64")]
    pub position: Position,
    /// The position of the log's last event.
    #[sqlx(try_from = "i64")]
    pub log_position: Position,
}

/// An event that is told to a contractor.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ToldEvent {
    /// Its place in the contractor's feed, from 1.
    pub place: i64,
    /// Its position in the log.
    #[sqlx(try_from = "i64")]
    pub position: Position,
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// The version of its payload.
    pub event_version: String,
    /// Its payload.
    pub payload: String,
    /// Its stream.
    #[sqlx(try_from = "Uuid")]
    pub aggregate_id: AggregateId,
    /// Its place in its stream.
    #[sqlx(try_from = "i64")]
    pub sequence: Version,
    /// When it was recorded.
    pub recorded_at: OffsetDateTime,
}

/// The feeds of a log.
#[derive(Clone, Debug)]
pub struct Feeds {
    pool: PgPool,
}

impl Feeds {
    /// The pool's role needs the rights of `caseledger_writer`.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// How far they are, and the log.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn head(&self) -> Result<FeedsHead, LedgerError> {
        sqlx::query_as(include_str!("../sql/feeds_head.sql"))
            .fetch_one(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))
    }

    /// Gives the events of these types after `from`, up to `up_to`, their places.
    ///
    /// # Errors
    /// [`LedgerError`]; none was given then, also where another process gives them by now.
    pub async fn take_in(&self, from: Position, up_to: Position, types: &[&str]) -> Result<(), LedgerError> {
        let failed = |error: sqlx::Error| LedgerError::of_read(&error);
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let advanced: Option<i64> = sqlx::query_scalar(include_str!("../sql/feeds_advance.sql"))
            .bind(up_to.0)
            .bind(from.0)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        if advanced.is_none() {
            return Err(LedgerError::Unavailable(Reason::new("somebody else keeps the feeds")));
        }
        sqlx::query(include_str!("../sql/feeds_insert.sql"))
            .bind(from.0)
            .bind(up_to.0)
            .bind(types)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// What a contractor is told after a place of its feed, of what was recorded since an instant; the first of it first.
    /// The next one is told whatever its age.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn after(
        &self,
        contractor: &ClientName,
        place: i64,
        since: OffsetDateTime,
        at_most: i64,
    ) -> Result<Vec<ToldEvent>, LedgerError> {
        sqlx::query_as(include_str!("../sql/feeds_after.sql"))
            .bind(contractor.as_str())
            .bind(place)
            .bind(since)
            .bind(at_most)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))
    }
}
