//! Keeping a projection up to date.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use event_store::{Ledger, StoredEvent};
use futures::{FutureExt as _, Stream, StreamExt as _};
use schemas::Position;
use sqlx::PgPool;

use crate::checkpoint::{Applied, Checkpoint, Track};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// The most events that are applied in one transaction.
pub const BATCH_EVENTS: usize = 500;

/// How long a projection waits for a wake-up before it looks at the log by itself: what a lost wake-up costs.
pub const POLL_EVERY: Duration = Duration::from_secs(1);

/// The pauses between attempts while something does not answer: the first, and the longest that doubling leads to.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// The most wake-ups that are taken as one.
const WAKEUPS_TAKEN_AS_ONE: usize = 10_000;

/// Keeps the live generation of a projection up to date until `shutdown` is ready.
///
/// Whatever `wakeups` yields means only that there may be something new, so nothing rests on it: items may come twice, late,
/// in any order or not at all, and the stream may end. Several of these for one projection are harmless: they take turns.
/// May be dropped at any moment. What does not answer is tried again, with pauses.
///
/// # Errors
/// Those that need a person: the projection stands where the error says, and nothing after that position is applied.
pub async fn run<W: Stream + Send>(
    projection: Arc<dyn Projection>,
    ledger: Arc<dyn Ledger>,
    pool: PgPool,
    wakeups: W,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ProjectionError> {
    tokio::select! {
        stopped = follow(&*projection, &*ledger, &pool, wakeups) => stopped,
        () = shutdown => Ok(()),
    }
}

async fn follow<W: Stream + Send>(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    pool: &PgPool,
    wakeups: W,
) -> Result<(), ProjectionError> {
    let mut wakeups = pin!(wakeups.map(drop).chain(futures::stream::pending()));
    let mut pause = BACK_OFF.0;
    loop {
        match catch_up(projection, ledger, pool).await {
            Ok(_) => {
                pause = BACK_OFF.0;
                // Late or early does not matter: either way the log is asked.
                let _ = tokio::time::timeout(POLL_EVERY, wakeups.next()).await;
                for _ in 1..WAKEUPS_TAKEN_AS_ONE {
                    if wakeups.next().now_or_never().is_none() {
                        break;
                    }
                }
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(projection = projection.name(), pause_ms = pause.as_millis(), %error, "projection waits");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACK_OFF.1);
            }
            Err(error) => return Err(error),
        }
    }
}

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
        let events = following(projection, ledger, &seen, up_to).await?;
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

/// The events that follow a checkpoint, at most a batch of them.
///
/// The last event applied is read again with them: that the log still has it shows that it is the same log.
pub(crate) async fn following(
    projection: &dyn Projection,
    ledger: &dyn Ledger,
    seen: &Checkpoint,
    up_to: Option<Position>,
) -> Result<Vec<StoredEvent>, ProjectionError> {
    let Some(last) = seen.last else {
        let events = ledger.feed(Position::START, None, BATCH_EVENTS).await?;
        return contiguous(Position::START, events, up_to);
    };
    let before = Position(last.position.0 - 1);
    let mut events = ledger.feed(before, None, BATCH_EVENTS + 1).await?.into_iter();
    match events.next() {
        Some(again) if again.position == last.position && again.event_id == last.event_id => {
            contiguous(last.position, events.collect(), up_to)
        }
        Some(other) if other.position == last.position => {
            let projection = projection.name();
            Err(ProjectionError::LogReplaced { projection, position: last.position, applied: last.event_id })
        }
        Some(other) => Err(ProjectionError::Gap { expected: last.position, found: other.position }),
        None => {
            let head = ledger.head().await?.position;
            Err(ProjectionError::LogBehind { projection: projection.name(), position: last.position, head })
        }
    }
}

fn contiguous(
    after: Position,
    mut events: Vec<StoredEvent>,
    up_to: Option<Position>,
) -> Result<Vec<StoredEvent>, ProjectionError> {
    let mut expected = after;
    for event in &events {
        expected = expected.next();
        if event.position != expected {
            return Err(ProjectionError::Gap { expected, found: event.position });
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
    transaction: &mut sqlx::PgConnection,
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
        let traceless = projection.apply(transaction, locked.generation, &readable).await?;
        let traceless = locked.traceless + i64::try_from(traceless).unwrap_or(i64::MAX);
        track.advance(transaction, projection, to, traceless).await?;
    }
    Ok(rest)
}
