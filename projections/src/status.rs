//! How far the projections are.

use event_store::Ledger;
use schemas::Position;
use schemas::moment::Instant;
use sqlx::PgPool;

use crate::checkpoint::{self, Track};
use crate::error::ProjectionError;
use crate::projection::{Generation, Projection};

/// How far one projection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The projection.
    pub name: &'static str,
    /// The generation that readers see.
    pub generation: Generation,
    /// The position of the last event applied.
    pub position: Position,
    /// When that event was recorded; none before the first.
    pub recorded_at: Option<Instant>,
    /// Where the log ends. Before `position`: the log was rolled back.
    pub head: Position,
    /// The position of the generation being built beside it, if there is one.
    pub rebuilding: Option<Position>,
}

impl Status {
    /// How many events are still to be applied; negative where the log was rolled back.
    #[must_use]
    pub const fn behind(&self) -> i64 {
        self.head.0 - self.position.0
    }
}

/// The position of the last event that a projection has applied. The pool's role needs no more than to read its checkpoint.
///
/// # Errors
/// When the database can't be read.
pub async fn position(projection: &dyn Projection, pool: &PgPool) -> Result<Position, ProjectionError> {
    Ok(Track::Live.read(pool, projection).await?.position())
}

/// Says how far a projection is.
///
/// # Errors
/// When the database or the log can't be read.
pub async fn status(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    pool: &PgPool,
) -> Result<Status, ProjectionError> {
    let live = Track::Live.read(pool, projection).await?;
    let rebuilding = checkpoint::rebuilding(pool, projection).await?;
    // The log last: then a projection that keeps up never seems to be ahead of it.
    let head = ledger.head().await?.position;
    Ok(Status {
        name: projection.name(),
        generation: live.generation,
        position: live.position(),
        recorded_at: live.last.map(|last| last.recorded_at.into()),
        head,
        rebuilding: rebuilding.map(|building| building.position()),
    })
}
