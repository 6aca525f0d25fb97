//! Comparing a projection with what the log says it must be.

use event_store::Ledger;
use schemas::Position;
use sqlx::PgPool;

use crate::catch_up::advance;
use crate::checkpoint::Track;
use crate::error::ProjectionError;
use crate::projection::{Generation, Projection, TableDigest};
use crate::rebuild::{begin, give_up};

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The position that both were compared at.
    pub position: Position,
    /// Each table of the projection.
    pub tables: Vec<Comparison>,
}

/// One table, live and built anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What readers see.
    pub live: TableDigest,
    /// What the log gives.
    pub rebuilt: TableDigest,
}

impl Comparison {
    /// Whether both are the same to the byte.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.live == self.rebuilt
    }
}

impl Verification {
    /// Whether every table agrees.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.tables.iter().all(Comparison::agrees)
    }
}

/// Builds a projection anew up to the position that the live one has now, and compares the two. Readers and the runner are
/// not disturbed; nothing is changed.
///
/// # Errors
/// When one of them could not be read. That they differ is no error: see [`Verification::agrees`].
pub async fn verify(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    pool: &PgPool,
) -> Result<Verification, ProjectionError> {
    let (position, live) = live_digests(projection, pool).await?;
    let generation = begin(projection, pool).await?;
    let rebuilt = build_and_digest(projection, ledger, pool, generation, position).await;
    let ended = give_up(projection, pool, generation).await;
    let rebuilt = rebuilt?;
    ended?;
    let tables = live
        .into_iter()
        .zip(rebuilt)
        .map(|(live, rebuilt)| Comparison { live, rebuilt })
        .collect();
    Ok(Verification { position, tables })
}

/// The live generation, all of it as of one moment.
async fn live_digests(
    projection: &dyn Projection,
    pool: &PgPool,
) -> Result<(Position, Vec<TableDigest>), ProjectionError> {
    let mut snapshot = pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let live = Track::Live.read(&mut *snapshot, projection).await?;
    let digests = projection.digests(&mut snapshot, live.generation).await?;
    snapshot.commit().await?;
    Ok((live.position(), digests))
}

async fn build_and_digest(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    pool: &PgPool,
    generation: Generation,
    position: Position,
) -> Result<Vec<TableDigest>, ProjectionError> {
    let reached = advance(projection, ledger, pool, Track::Rebuild(generation), Some(position)).await?;
    if reached < position {
        return Err(ProjectionError::LogBehind {
            projection: projection.name(),
            position,
            head: reached,
        });
    }
    projection.digests(&mut *pool.acquire().await?, generation).await
}
