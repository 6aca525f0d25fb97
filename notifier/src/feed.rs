//! The notifier as the subscription sees it, and when it has read enough of the log for notices to go.

use std::sync::Arc;

use event_store::{Consumer, ConsumerError, Ledger, StoredEvent};
use schemas::Position;
use tokio::sync::{Notify, watch};

use crate::error::NotifierError;
use crate::follow::Follower;
use crate::service::Notifier;

/// Wakes the workers of a kind: something is due for them. Nothing rests on it, as they look again in any case.
#[derive(Default)]
pub(crate) struct Due {
    pub(crate) to_send: Notify,
    pub(crate) to_record: Notify,
}

/// Takes in what the subscription hands over.
///
/// What is queued must not go before what the log says of its customer was read: a consent that was withdrawn, or an address that
/// changed, while nobody followed. So sending is held back at the start, and whenever the subscription begins again after a pause,
/// until everything is taken in that the log held then. (While it follows without a pause it is seconds behind at most.)
pub(crate) struct Feed<'a> {
    pub(crate) notifier: &'a Notifier,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) due: &'a Due,
    /// Whether notices may go.
    pub(crate) caught_up: &'a watch::Sender<bool>,
    /// The position from which on they may.
    pub(crate) goal: Position,
}

impl Feed<'_> {
    /// Where the log is read from. Looks how far it goes at this moment.
    async fn begin(&mut self) -> Result<Position, NotifierError> {
        self.caught_up.send_replace(false);
        let position = {
            let mut connection = self.notifier.pool.acquire().await?;
            Follower::position(&mut connection).await?
        };
        self.goal = self.ledger.head().await?.position;
        if position < self.goal {
            tracing::info!(
                position = position.0,
                head = self.goal.0,
                "no notice goes until the log is read"
            );
        }
        // Past the head, the log was rolled back: the subscription ends.
        self.caught_up.send_replace(position == self.goal);
        Ok(position)
    }

    async fn take_in(&self, events: &[StoredEvent]) -> Result<(), NotifierError> {
        let mut transaction = self.notifier.pool.begin().await?;
        let now = (self.notifier.environment.now)();
        self.notifier.follower.apply(&mut transaction, events, now).await?;
        transaction.commit().await?;
        self.due.to_send.notify_waiters();
        self.due.to_record.notify_waiters();
        Ok(())
    }
}

impl Consumer for Feed<'_> {
    async fn checkpoint(&mut self) -> Result<Position, ConsumerError> {
        self.begin().await.map_err(of_consumer)
    }

    async fn apply(&mut self, events: Vec<StoredEvent>) -> Result<(), ConsumerError> {
        let taken = self.take_in(&events).await;
        if taken.is_err() {
            self.caught_up.send_replace(false);
        } else if events.last().is_some_and(|last| last.position >= self.goal) {
            self.caught_up.send_replace(true);
        }
        if let Err(NotifierError::Event { position, .. } | NotifierError::UnknownRequestType { position, .. }) = &taken
        {
            // What is before it has its effect all the same.
            let readable = events.partition_point(|event| event.position < *position);
            if readable > 0 {
                self.take_in(&events[..readable]).await.map_err(of_consumer)?;
            }
        }
        taken.map_err(of_consumer)
    }
}

fn of_consumer(fault: NotifierError) -> ConsumerError {
    if fault.is_transient() {
        ConsumerError::Retry(Box::new(fault))
    } else {
        ConsumerError::Stop(Box::new(fault))
    }
}
