//! Following the log with effect exactly once.
//!
//! Shape: the consumer remembers its position in the same transaction as its effect. The loop asks for it, reads the log from
//! there to its end, and then takes live events (from the bus, as a rule) as they come. Only the next position is
//! taken from those: an earlier one was applied already, a later one shows that something was missed, and then the log is
//! read. So live events may come twice, late, in any order or not at all, and their stream may end: nothing rests on it. What is
//! not heard of is found by looking, every [`POLL_EVERY`].
//!
//! The same loop catches up from zero, rebuilds, and follows. Cost while live: no read of the log.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, Stream, StreamExt as _};
use schemas::Position;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::LedgerError;
use crate::ledger::{Ledger, StoredEvent};
use crate::measured::Counted;
use crate::pages::Pages;

/// The most events that are handed over at once.
pub const MOST_EVENTS_PER_BATCH: usize = 500;

/// After a batch the next one waits for company: this many times as long as the batch took, and never longer than the second.
/// What comes when nothing was applied for that long is applied at once. A transaction costs the same for one event as for
/// a hundred; so a busy consumer takes a fifth of the time that it could, and is late by no more than this.
const GATHER: (u32, Duration) = (4, Duration::from_millis(50));

/// How long nothing is heard before the log is looked at.
pub const POLL_EVERY: Duration = Duration::from_secs(2);

/// The pauses between attempts while something does not answer: the first, and the longest that doubling leads to.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Why a consumer could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// It may work later: pause, ask for the checkpoint again, go on from there.
    #[error("try again: {0}")]
    Retry(#[source] Box<dyn Error + Send + Sync>),
    /// It never will: stop at this position. An event is never skipped.
    #[error("stop: {0}")]
    Stop(#[source] Box<dyn Error + Send + Sync>),
}

/// Why a subscription ended. Each needs a person.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The log was rolled back, or is another one: positions would be used twice.
    #[error(
        "the checkpoint {checkpoint} is past the head of the log {head}: the log was rolled back, or this is another log. \
         Bring the log back to where it was, or rebuild the consumer from position 0"
    )]
    LogRolledBack {
        /// How far the consumer has come.
        checkpoint: Position,
        /// How far the log goes.
        head: Position,
    },
    /// A recorded event is gone.
    #[error("the log has no event at position {missing}, though it goes further: verify the log")]
    Hole {
        /// Where it should be.
        missing: Position,
    },
    /// The consumer can't go on.
    #[error("the consumer stands at position {checkpoint} and can't apply what follows: {source}")]
    Consumer {
        /// How far it has come.
        checkpoint: Position,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The log can't be read.
    #[error(transparent)]
    Ledger(LedgerError),
}

/// Who follows the log.
pub trait Consumer: Send {
    /// The position that it has applied, and what is before it.
    fn checkpoint(&mut self) -> impl Future<Output = Result<Position, ConsumerError>> + Send;

    /// Applies events that follow on its position, in order and without a gap, and stores the position of the last one in
    /// the same transaction. All or nothing.
    fn apply(&mut self, events: Vec<StoredEvent>) -> impl Future<Output = Result<(), ConsumerError>> + Send;
}

/// A consumer's way along the log.
pub struct Subscription<L> {
    name: &'static str,
    ledger: Arc<dyn Ledger>,
    live: L,
}

/// What ends a stretch of the way.
enum Halt {
    Pause(Box<dyn Error + Send + Sync>),
    End(SubscriptionError),
}

impl From<LedgerError> for Halt {
    fn from(error: LedgerError) -> Self {
        if error.is_transient() {
            Self::Pause(Box::new(error))
        } else {
            Self::End(SubscriptionError::Ledger(error))
        }
    }
}

impl Halt {
    fn at(checkpoint: Position) -> impl FnOnce(ConsumerError) -> Self {
        move |error| match error {
            ConsumerError::Retry(source) => Self::Pause(source),
            ConsumerError::Stop(source) => Self::End(SubscriptionError::Consumer { checkpoint, source }),
        }
    }
}

impl<L> Subscription<L>
where
    L: Stream<Item = StoredEvent> + Send + Unpin,
{
    /// A subscription to this log. `live` yields events as they are heard of; `name` stands in log lines.
    pub const fn new(name: &'static str, ledger: Arc<dyn Ledger>, live: L) -> Self {
        Self { name, ledger, live }
    }

    /// Follows the log until `shutdown` is ready. What does not answer is tried again, with pauses.
    ///
    /// # Errors
    /// [`SubscriptionError`]: what needs a person. The consumer keeps the position it has.
    pub async fn run<C: Consumer>(
        self,
        consumer: &mut C,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), SubscriptionError> {
        tokio::select! {
            biased;
            () = shutdown => Ok(()),
            error = self.follow(consumer) => Err(error),
        }
    }

    async fn follow<C: Consumer>(self, consumer: &mut C) -> SubscriptionError {
        let consumer = &mut Counted {
            subscription: self.name,
            consumer,
        };
        let mut live = pin!(self.live.chain(futures::stream::pending()));
        let mut pause = BACK_OFF.0;
        loop {
            let halt = match reach_end(&self.ledger, consumer).await {
                Ok(mut position) => {
                    pause = BACK_OFF.0;
                    stay_at_end(&self.ledger, consumer, live.as_mut(), &mut position).await
                }
                Err(halt) => halt,
            };
            match halt {
                Halt::End(error) => return error,
                Halt::Pause(cause) => {
                    tracing::warn!(subscription = self.name, pause_ms = pause.as_millis(), %cause, "subscription pauses");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BACK_OFF.1);
                }
            }
        }
    }
}

async fn reach_end<C: Consumer>(ledger: &Arc<dyn Ledger>, consumer: &mut C) -> Result<Position, Halt> {
    let mut position = consumer.checkpoint().await.map_err(Halt::at(Position::START))?;
    read_to_end(ledger, consumer, &mut position).await?;
    Ok(position)
}

/// Applies what the log has after a position.
async fn read_to_end<C: Consumer>(
    ledger: &Arc<dyn Ledger>,
    consumer: &mut C,
    position: &mut Position,
) -> Result<(), Halt> {
    let mut pages = Pages::new(Arc::clone(ledger), MOST_EVENTS_PER_BATCH);
    loop {
        // The head first: what it says must then be there.
        let head = ledger.head().await?.position;
        if *position > head {
            return Err(Halt::End(SubscriptionError::LogRolledBack {
                checkpoint: *position,
                head,
            }));
        }
        if *position == head {
            return Ok(());
        }
        let events = pages.after(*position).await?;
        if let Some(missing) = first_missing(*position, &events) {
            return Err(Halt::End(SubscriptionError::Hole { missing }));
        }
        apply(consumer, events, position).await?;
    }
}

/// The first position after `position` that a non-empty page should have and has not.
fn first_missing(position: Position, events: &[StoredEvent]) -> Option<Position> {
    if events.is_empty() {
        return Some(position.next());
    }
    let expected = (position.0 + 1..).map(Position);
    expected
        .zip(events)
        .find(|(expected, event)| *expected != event.position)
        .map(|(expected, _)| expected)
}

/// Applies live events as they come; returns when something stands in the way.
async fn stay_at_end<C: Consumer>(
    ledger: &Arc<dyn Ledger>,
    consumer: &mut C,
    mut live: impl Stream<Item = StoredEvent> + Unpin,
    position: &mut Position,
) -> Halt {
    let mut gather_until = Instant::now();
    loop {
        let step = match timeout(POLL_EVERY, live.next()).await {
            Ok(Some(first)) => match heard_by(gather_until, first, &mut live, *position).await {
                Heard::Next(events) => {
                    let begun = Instant::now();
                    let applied = apply(consumer, events, position).await;
                    gather_until = Instant::now() + (begun.elapsed() * GATHER.0).min(GATHER.1);
                    applied
                }
                Heard::Known => Ok(()),
                Heard::Gap => read_to_end(ledger, consumer, position).await,
            },
            Ok(None) | Err(_) => read_to_end(ledger, consumer, position).await,
        };
        if let Err(halt) = step {
            return halt;
        }
    }
}

async fn apply<C: Consumer>(consumer: &mut C, events: Vec<StoredEvent>, position: &mut Position) -> Result<(), Halt> {
    let end = events.last().map_or(*position, |last| last.position);
    consumer.apply(events).await.map_err(Halt::at(*position))?;
    *position = end;
    Ok(())
}

enum Heard {
    /// The events that follow, without a gap.
    Next(Vec<StoredEvent>),
    /// Nothing new.
    Known,
    /// Something was missed.
    Gap,
}

/// Takes what comes until then as one batch; after that, what is there without waiting.
async fn heard_by(
    then: Instant,
    first: StoredEvent,
    live: &mut (impl Stream<Item = StoredEvent> + Unpin),
    position: Position,
) -> Heard {
    let mut events: Vec<StoredEvent> = Vec::new();
    let mut next = Some(first);
    while let Some(event) = next {
        let expected = events.last().map_or(position, |last| last.position).next();
        if event.position > expected {
            // The log has it all, in order, and what was taken here too.
            return Heard::Gap;
        }
        if event.position == expected {
            events.push(event);
        }
        next = if events.len() == MOST_EVENTS_PER_BATCH {
            None
        } else if Instant::now() < then {
            timeout_at(then, live.next()).await.ok().flatten()
        } else {
            live.next().now_or_never().flatten()
        };
    }
    if events.is_empty() {
        Heard::Known
    } else {
        Heard::Next(events)
    }
}

#[cfg(test)]
mod tests;
