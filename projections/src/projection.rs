//! What a read model is.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::checkpoint::Checkpoint;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::history::History;
use crate::reporting::Reporting;

/// Which set of a projection's rows. The checkpoint says which one is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub i64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What one generation holds in one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDigest {
    /// The table, without its schema.
    pub table: &'static str,
    /// How many rows.
    pub rows: i64,
    /// Two sums over 64-bit hashes of every row's text. Equal rows give equal digests; it shows slips, not forgeries.
    pub digest: String,
}

/// One read model. Its schema has the tables `checkpoints` and `rebuilds`.
///
/// The rows of a generation follow from the events alone, so that two generations at the same position are equal to the
/// byte.
#[async_trait]
pub trait Projection: Send + Sync {
    /// The name that the command line and the checkpoint use.
    fn name(&self) -> &'static str;

    /// The Postgres schema that its rows and its checkpoint are in.
    fn schema(&self) -> &'static str;

    /// Writes what a batch changes in one generation, inside the transaction that also moves the position. The events follow,
    /// without a gap, on those that the generation holds; its checkpoint is locked. Returns how many of them leave nothing in
    /// the rows.
    ///
    /// # Errors
    /// Nothing of the batch is kept.
    async fn apply(
        &self,
        transaction: &mut PgConnection,
        held: &Checkpoint,
        events: &[Event],
    ) -> Result<usize, ProjectionError>;

    /// How many events the rows of a generation hold, counted from the rows themselves: with those that leave nothing, as
    /// many as its position says.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn events_held(&self, connection: &mut PgConnection, generation: Generation) -> Result<i64, ProjectionError>;

    /// What a generation holds, table by table, always in the same order.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn digests(
        &self,
        connection: &mut PgConnection,
        generation: Generation,
    ) -> Result<Vec<TableDigest>, ProjectionError>;

    /// Deletes the rows of generations that are neither live nor being built.
    ///
    /// # Errors
    /// When the database does not answer; they are deleted another time.
    async fn delete_other_generations(&self, connection: &mut PgConnection) -> Result<(), ProjectionError>;
}

/// All projections. `new_key` makes reporting's keys: random ones (UUIDv4), which say nothing of what they stand for.
#[must_use]
pub fn projections(new_key: impl Fn() -> Uuid + Send + Sync + 'static) -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(History::default()), Arc::new(Reporting::new(new_key))]
}

/// Counts and digests one generation in one table.
pub(crate) async fn digest(
    connection: &mut PgConnection,
    generation: Generation,
    table: &'static str,
    statement: &'static str,
) -> Result<TableDigest, ProjectionError> {
    let (rows, digest) = sqlx::query_as(statement)
        .bind(generation.0)
        .fetch_one(connection)
        .await?;
    Ok(TableDigest { table, rows, digest })
}
