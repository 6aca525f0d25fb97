//! Keeping a projection up to date.

use std::sync::Arc;

use event_store::{Consumer, ConsumerError, Ledger, StoredEvent, Subscription, SubscriptionError};
use futures::Stream;
use schemas::envelope::PublishedEvent;
use schemas::{ClientName, Position, Version};
use serde::Deserialize;
use sqlx::PgPool;

use crate::catch_up::{apply, following};
use crate::checkpoint::Track;
use crate::error::ProjectionError;
use crate::projection::Projection;

/// Keeps the live generation of a projection up to date until `shutdown` is ready.
///
/// `live` yields events as they are heard of, as a rule over the bus (see [`heard`]). They may come twice, late, in any order
/// or not at all: the subscription takes the next one only, and reads the log where something is missing. Several of these
/// for one projection are harmless: they take turns. May be dropped at any moment. What does not answer is tried again, with
/// pauses.
///
/// # Errors
/// Those that need a person: the projection stands where the error says, and nothing after that position is applied.
pub async fn run<L>(
    projection: Arc<dyn Projection>,
    ledger: Arc<dyn Ledger>,
    pool: PgPool,
    live: L,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ProjectionError>
where
    L: Stream<Item = StoredEvent> + Send + Unpin,
{
    let name = projection.name();
    let subscription = Subscription::new(name, Arc::clone(&ledger), live);
    let mut follower = Follower {
        projection,
        ledger,
        pool,
    };
    subscription
        .run(&mut follower, shutdown)
        .await
        .map_err(|error| of_subscription(name, error))
}

fn of_subscription(projection: &'static str, error: SubscriptionError) -> ProjectionError {
    match error {
        SubscriptionError::LogRolledBack { checkpoint, head } => ProjectionError::LogBehind {
            projection,
            position: checkpoint,
            head,
        },
        SubscriptionError::Hole { missing } => ProjectionError::Hole { missing },
        SubscriptionError::Ledger(error) => ProjectionError::Ledger(error),
        SubscriptionError::Consumer { checkpoint, source } => match source.downcast() {
            Ok(ours) => *ours,
            Err(source) => {
                let source = SubscriptionError::Consumer { checkpoint, source };
                ProjectionError::Subscription { projection, source }
            }
        },
    }
}

/// The live generation of a projection, following the log.
struct Follower {
    projection: Arc<dyn Projection>,
    ledger: Arc<dyn Ledger>,
    pool: PgPool,
}

impl Follower {
    async fn position(&self) -> Result<Position, ProjectionError> {
        let seen = Track::Live.read(&self.pool, &*self.projection).await?;
        // Nothing is taken here: asking for nothing shows that the log still has what was applied last.
        following(&*self.projection, &*self.ledger, &seen, 0, None).await?;
        Ok(seen.position())
    }

    async fn take(&self, mut events: Vec<StoredEvent>) -> Result<(), ProjectionError> {
        let mut transaction = self.pool.begin().await?;
        let locked = Track::Live.lock(&mut transaction, &*self.projection).await?;
        // Another runner may have applied some of them, or all.
        events.drain(..events.partition_point(|event| event.position <= locked.position()));
        match events.first() {
            Some(first) if first.position != locked.position().next() => {
                let (projection, position) = (self.projection.name(), locked.position());
                Err(ProjectionError::SetBack { projection, position })
            }
            Some(_) => {
                let rest = apply(&*self.projection, &mut transaction, Track::Live, &locked, events).await?;
                transaction.commit().await?;
                rest
            }
            None => Ok(()),
        }
    }
}

impl Consumer for Follower {
    async fn checkpoint(&mut self) -> Result<Position, ConsumerError> {
        self.position().await.map_err(of_consumer)
    }

    async fn apply(&mut self, events: Vec<StoredEvent>) -> Result<(), ConsumerError> {
        self.take(events).await.map_err(of_consumer)
    }
}

fn of_consumer(error: ProjectionError) -> ConsumerError {
    if error.is_transient() {
        ConsumerError::Retry(Box::new(error))
    } else {
        ConsumerError::Stop(Box::new(error))
    }
}

/// What is asked of the metadata here.
#[derive(Deserialize)]
struct Sender {
    client: ClientName,
}

/// Reads an event as it is published. What can't be read is `None`: it will be missed, and read from the log.
#[must_use]
pub fn heard(body: &[u8]) -> Option<StoredEvent> {
    let published: PublishedEvent = serde_json::from_slice(body).ok()?;
    let (aggregate_type, rest) = published.kind.strip_prefix("caseledger.")?.split_once('.')?;
    let (event_type, event_version) = rest.rsplit_once(".v")?;
    let metadata: Sender = serde_json::from_str(&published.metadata).ok()?;
    Some(StoredEvent {
        position: Position(published.position.parse().ok()?),
        service: published.service,
        service_position: Position(published.serviceposition.parse().ok()?),
        event_id: published.id,
        command_id: published.commandid,
        client: metadata.client,
        aggregate_type: aggregate_type.to_owned(),
        aggregate_id: published.subject,
        sequence: Version(published.streamsequence.parse().ok()?),
        event_type: event_type.to_owned(),
        event_version: event_version.to_owned(),
        payload: published.data,
        metadata: published.metadata,
        recorded_at: published.time.get(),
        occurred_at: published.occurredat.get(),
    })
}
