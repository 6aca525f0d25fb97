//! Building a projection anew beside the live one.

use event_store::Ledger;
use schemas::Position;
use sqlx::PgPool;

use crate::catch_up::{BATCH_EVENTS, advance, apply, following};
use crate::checkpoint::{self, Track};
use crate::error::ProjectionError;
use crate::projection::{Generation, Projection};

/// A rebuild that became live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The generation that is live now.
    pub generation: Generation,
    /// The position that it was switched at.
    pub position: Position,
}

/// Builds a projection from the first event on, beside the live one, and makes the result live in one transaction. Readers
/// see the old rows or the new ones, never fewer; whoever keeps the projection up to date goes on with the new ones.
///
/// It is switched only when the new rows hold as many events as their position says, and where the log has what the live
/// ones have applied, not before their position. Where the log was rolled back, this is how the projection follows it.
///
/// # Errors
/// The old rows stay live. [`ProjectionError::Miscounted`]: the new ones were not right. [`ProjectionError::Superseded`]:
/// another one began.
pub async fn rebuild(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    pool: &PgPool,
) -> Result<Rebuilt, ProjectionError> {
    let generation = begin(projection, pool).await?;
    match build_and_switch(projection, ledger, pool, generation).await {
        Ok(position) => {
            // The old rows are nobody's now. What is not deleted here, the next rebuild deletes.
            if let Err(error) = projection.delete_other_generations(&mut *pool.acquire().await?).await {
                tracing::warn!(projection = projection.name(), %error, "the old rows were not deleted; the next rebuild does it");
            }
            Ok(Rebuilt { generation, position })
        }
        Err(error) => {
            // The first error is the one to tell; what is left of this build, the next one deletes.
            let _ = give_up(projection, pool, generation).await;
            Err(error)
        }
    }
}

/// Begins a generation, and deletes what builds before it left behind.
pub(crate) async fn begin(projection: &dyn Projection, pool: &PgPool) -> Result<Generation, ProjectionError> {
    let generation = checkpoint::begin_rebuild(pool, projection).await?;
    projection.delete_other_generations(&mut *pool.acquire().await?).await?;
    Ok(generation)
}

/// Ends a build and deletes its rows, in one transaction: its number may then be used again.
pub(crate) async fn give_up(
    projection: &dyn Projection,
    pool: &PgPool,
    generation: Generation,
) -> Result<(), ProjectionError> {
    let mut transaction = pool.begin().await?;
    checkpoint::end_rebuild(&mut *transaction, projection, generation).await?;
    projection.delete_other_generations(&mut transaction).await?;
    transaction.commit().await?;
    Ok(())
}

async fn build_and_switch(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    pool: &PgPool,
    generation: Generation,
) -> Result<Position, ProjectionError> {
    let track = Track::Rebuild(generation);
    advance(projection, ledger, pool, track, None).await?;
    let mut transaction = pool.begin().await?;
    // The live one stands still from here on: what it applied since is caught up with, then the switch is safe.
    let live = Track::Live.lock(&mut transaction, projection).await?;
    let mut built = track.lock(&mut transaction, projection).await?;
    while built.position() < live.position() {
        let events = following(projection, ledger, &built, BATCH_EVENTS, Some(live.position())).await?;
        if events.is_empty() {
            // The log was rolled back behind what the live one applied. Then the log as it is now is what counts.
            break;
        }
        apply(projection, &mut transaction, track, &built, events).await??;
        built = track.lock(&mut transaction, projection).await?;
    }
    let position = built.position();
    let held = projection.events_held(&mut transaction, generation).await? + built.traceless;
    if held != position.0 {
        return Err(ProjectionError::Miscounted {
            projection: projection.name(),
            position,
            held,
        });
    }
    checkpoint::switch(&mut transaction, projection).await?;
    transaction.commit().await?;
    Ok(position)
}
