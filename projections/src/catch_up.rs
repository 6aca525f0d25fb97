//! Bringing a generation of a projection up to a position of the log, batch by batch.

use event_store::{Ledger, StoredEvent};
use schemas::Position;
use sqlx::{PgConnection, PgPool};

use crate::checkpoint::{Applied, Checkpoint, Track};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// The most events that are applied in one transaction.
pub const BATCH_EVENTS: usize = 500;

/// Brings the live generation of a projection up to the end of the log, and returns the position it then has.
///
/// # Errors
/// What was applied before the error stays.
pub async fn catch_up(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    pool: &PgPool,
) -> Result<Position, ProjectionError> {
    advance(projection, ledger, pool, Track::Live, None).await
}

/// Brings a generation up to a position, or to the end of the log.
pub(crate) async fn advance(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    pool: &PgPool,
    track: Track,
    up_to: Option<Position>,
) -> Result<Position, ProjectionError> {
    loop {
        let seen = track.read(pool, projection).await?;
        let events = following(projection, ledger, &seen, BATCH_EVENTS, up_to).await?;
        if events.is_empty() {
            return Ok(seen.position());
        }
        let mut transaction = pool.begin().await?;
        // Somebody else may have applied these meanwhile, or switched generations. Then begin again from what they left.
        if track.lock(&mut transaction, projection).await? == seen {
            let rest = apply(projection, &mut transaction, track, &seen, events).await?;
            transaction.commit().await?;
            rest?;
        }
    }
}

/// The events that follow a checkpoint, at most `limit` of them and none after `up_to`.
///
/// The last event applied is read again with them: that the log still has it shows that it is the same log.
pub(crate) async fn following(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    seen: &Checkpoint,
    limit: usize,
    up_to: Option<Position>,
) -> Result<Vec<StoredEvent>, ProjectionError> {
    let overlap = usize::from(seen.last.is_some());
    let before = Position(seen.position().0 - i64::from(seen.last.is_some()));
    let mut events = ledger.feed(before, None, limit + overlap).await?;
    let mut expected = before;
    for event in &events {
        expected = expected.next();
        if event.position != expected {
            return Err(ProjectionError::Hole { missing: expected });
        }
    }
    if let Some(last) = seen.last {
        if events.is_empty() {
            let head = ledger.head().await?.position;
            return Err(ProjectionError::LogBehind {
                projection: projection.name(),
                position: last.position,
                head,
            });
        }
        let again = events.remove(0);
        if again.event_id != last.event_id {
            let (projection, position) = (projection.name(), last.position);
            return Err(ProjectionError::LogReplaced {
                projection,
                position,
                applied: last.event_id,
            });
        }
    }
    if let Some(up_to) = up_to {
        events.retain(|event| event.position <= up_to);
    }
    Ok(events)
}

/// Applies what follows a locked checkpoint, up to the first event that can't be read. That one's error is returned inside,
/// because what came before it is to be kept.
pub(crate) async fn apply(
    projection: &dyn Projection,
    transaction: &mut PgConnection,
    track: Track,
    locked: &Checkpoint,
    events: Vec<StoredEvent>,
) -> Result<Result<(), ProjectionError>, ProjectionError> {
    let mut readable = Vec::with_capacity(events.len());
    let mut rest = Ok(());
    for stored in events {
        match Event::read(projection.name(), stored) {
            Ok(event) => readable.push(event),
            Err(error) => {
                rest = Err(error);
                break;
            }
        }
    }
    if let Some(last) = readable.last() {
        let to = Applied::from(&last.stored);
        let traceless = projection.apply(transaction, locked, &readable).await?;
        let traceless = locked.traceless + i64::try_from(traceless).unwrap_or(i64::MAX);
        track.advance(transaction, projection, to, traceless).await?;
    }
    Ok(rest)
}
