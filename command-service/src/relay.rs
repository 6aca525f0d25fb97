//! The relay: publishes the log to the bus, each event once, in position order.
//!
//! One relay is active, by lease. Each event is published with the stream's last sequence as it expects it: a second relay
//! that was paused and wakes up can't publish anything, and a repeat after a lost answer is found by reading the stream's end. The
//! fence is a number and yet exact, though many events are on their way at once: as long as the stream is not emptied, a sequence
//! stands for one position, and whoever fills it again takes the next sequence from the clock, so that no number comes again for another position.
//! That end is compared with the log at the start, whenever the connection was made anew, and once a second: the stream may have
//! lost what was published, and the log may have been rolled back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusError, PublishAck, PublishAckFuture, StreamEnd};
use event_store::{LeaseGrant, Leases, Ledger, LedgerError, Pages, StoredEvent, span_each};
use futures::FutureExt as _;
use schemas::Position;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use traces::{Part, Span};

use crate::held::while_held;
use crate::measured;
use crate::published::published;
use crate::rolled_back::{self, RolledBack};

/// The name of the lease that the active relay holds.
pub const LEASE: &str = "relay";

/// How many events are read from the log at once.
pub const READ_EVENTS: usize = 500;

/// How many published events wait for an acknowledgement at once.
pub const IN_FLIGHT_EVENTS: usize = 1_000;

/// Of how many events one asks for its acknowledgement; the last of those that were read does too. Each names the one before it, so
/// that none is stored whose forerunner is not. Until the first acknowledgement each asks: what keeps JetStream from storing an event is told
/// of that event alone, and those behind it only do not fit.
pub const ONE_ACKNOWLEDGED_OF: usize = 100;

/// How long the relay waits for news before it looks by itself, since a notification may have been lost; and how often it
/// compares the stream's end with the log.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a batch is gathered: the log is asked no sooner than this after it was asked last, unless that gave a full page. To ask it
/// costs the same for one event as for fifty.
pub const GATHER: Duration = Duration::from_millis(3);

/// How long it rests when NATS or Postgres is away.
pub const REST: Duration = Duration::from_millis(500);

/// What only people can mend.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The log is not the one that the stream was filled from.
    #[error(transparent)]
    RolledBack(RolledBack),
    /// An event can't be written in its published form.
    #[error("position {0} can't be published: its stored text is no JSON; run `caseledger audit verify`")]
    Unwritable(Position),
    /// The log can't be read as this release needs it.
    #[error(transparent)]
    Ledger(LedgerError),
    /// The bus does not let the relay do what it must.
    #[error(transparent)]
    Bus(BusError),
}

/// Why a run of publishing ended.
enum Ended {
    /// Read the stream's end and begin again.
    Again,
    /// Only people can mend it.
    Broken(RelayError),
}

impl From<BusError> for Ended {
    fn from(error: BusError) -> Self {
        match error {
            BusError::Refused { .. } | BusError::Open { .. } | BusError::Broken { .. } | BusError::TooLarge { .. } => {
                Self::Broken(RelayError::Bus(error))
            }
            BusError::StreamMissing { .. } => {
                tracing::error!(%error, "the relay waits: run `caseledger migrate`, which makes the streams");
                Self::Again
            }
            _ => {
                tracing::info!(%error, "the relay begins again at the stream's end");
                Self::Again
            }
        }
    }
}

impl From<LedgerError> for Ended {
    fn from(error: LedgerError) -> Self {
        if error.is_transient() {
            tracing::warn!(%error, "the relay waits for the log");
            Self::Again
        } else {
            Self::Broken(RelayError::Ledger(error))
        }
    }
}

/// Publishes the log.
pub struct Relay {
    ledger: Arc<dyn Ledger>,
    bus: Arc<dyn Bus>,
}

/// Where the next event goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    after: Position,
    last_sequence: u64,
}

impl Relay {
    /// A relay from this log to this bus.
    pub fn new(ledger: Arc<dyn Ledger>, bus: Arc<dyn Bus>) -> Self {
        Self { ledger, bus }
    }

    /// Publishes whenever the lease is held, until `stop`.
    ///
    /// # Errors
    /// [`RelayError`]: what only people can mend.
    pub async fn run(&self, leases: &dyn Leases, stop: &CancellationToken) -> Result<(), RelayError> {
        while_held(leases, LEASE, stop, async |_: LeaseGrant, ended: CancellationToken| {
            while !ended.is_cancelled() {
                match self.publish_until(&ended).await {
                    Ok(()) => return Ok(()),
                    Err(Ended::Broken(error)) => return Err(error),
                    Err(Ended::Again) => tokio::select! {
                        biased;
                        () = ended.cancelled() => {}
                        () = tokio::time::sleep(REST) => {}
                    },
                }
            }
            Ok(())
        })
        .await
    }

    async fn publish_until(&self, ended: &CancellationToken) -> Result<(), Ended> {
        let mut news = self.ledger.news().await?;
        let mut connection = self.bus.state();
        let connects = connection.borrow_and_update().connects;
        let mut place = self.compare(self.end_to_begin_at().await?).await?;
        let mut looked = Instant::now();
        let mut pages = Pages::new(Arc::clone(&self.ledger), READ_EVENTS);
        let mut on_the_way = OnTheWay::default();
        while !ended.is_cancelled() {
            if looked.elapsed() >= LOOK_EVERY {
                on_the_way.land().await?;
                looked = Instant::now();
                if self.compare(self.bus.last_event().await?).await? != place {
                    // Somebody emptied it, for a refill, or it lost something.
                    return Err(Ended::Again);
                }
            }
            let asked = Instant::now();
            let events = pages.after(place.after).await?;
            place = self.publish(place, &events, &mut on_the_way).await?;
            if events.is_empty() {
                on_the_way.land().await?;
                tokio::select! {
                    biased;
                    () = ended.cancelled() => return Ok(()),
                    changed = news.changed(LOOK_EVERY) => changed?,
                }
            } else if events.len() < READ_EVENTS {
                tokio::time::sleep_until(asked + GATHER).await;
            }
            if connection.borrow_and_update().connects != connects {
                // NATS went and came back: what it holds may be another than before.
                return Err(Ended::Again);
            }
        }
        // Whoever is next begins behind it.
        Ok(on_the_way.land().await?)
    }

    /// The end of the stream. One that holds nothing but has counted was emptied, or lost all that it held: a relay that knew it as it
    /// was and slept since may still count on from there, so the numbers of its next filling begin ahead of any such.
    async fn end_to_begin_at(&self) -> Result<StreamEnd, BusError> {
        let end = self.bus.last_event().await?;
        if end.messages > 0 || end.sequence == 0 {
            return Ok(end);
        }
        self.bus.purge_events().await?;
        self.bus.last_event().await
    }

    /// Compares the end of the stream with the log: from where on to publish.
    async fn compare(&self, end: StreamEnd) -> Result<Place, Ended> {
        let Some(last) = end.last else {
            if end.messages > 0 {
                return Err(self.empty("has lost its last event").await?);
            }
            return Ok(Place {
                after: Position::START,
                last_sequence: end.sequence,
            });
        };
        if let Some(rolled_back) = rolled_back::compare(self.ledger.as_ref(), &last).await? {
            return Err(Ended::Broken(RelayError::RolledBack(rolled_back)));
        }
        if i64::try_from(end.messages) != Ok(last.position.0) {
            return Err(self.empty("does not hold every event up to its last").await?);
        }
        Ok(Place {
            after: last.position,
            last_sequence: end.sequence,
        })
    }

    /// Empties a stream that lost something, to begin again at the log's beginning.
    async fn empty(&self, why: &'static str) -> Result<Ended, Ended> {
        tracing::warn!("the event stream {why}: it is emptied and filled again");
        self.bus.purge_events().await?;
        Ok(Ended::Again)
    }

    /// Publishes events, many at once. Where the next one goes, when all that is on its way has landed.
    async fn publish(
        &self,
        mut place: Place,
        events: &[StoredEvent],
        on_the_way: &mut OnTheWay,
    ) -> Result<Place, Ended> {
        for (event, left) in events.iter().zip((0..events.len()).rev()) {
            let message = published(event).map_err(|_| Ended::Broken(RelayError::Unwritable(event.position)))?;
            on_the_way.make_room().await?;
            on_the_way
                .unasked
                .push(span_each(std::slice::from_ref(event), "publish", Part::Sending));
            let (subject, body, expected) = (message.subject, message.body, place.last_sequence);
            if !on_the_way.heard || left == 0 || on_the_way.unasked.len() >= ONE_ACKNOWLEDGED_OF {
                let acknowledged = self.bus.publish_event(subject, body, expected).await?;
                on_the_way.asked(acknowledged, expected);
            } else {
                self.bus.send_event(subject, body, expected).await?;
            }
            place = Place {
                after: event.position,
                last_sequence: place.last_sequence + 1,
            };
        }
        on_the_way.take_in_landed()?;
        Ok(place)
    }
}

/// Events that were published and are not acknowledged yet, in the order of the log.
#[derive(Default)]
struct OnTheWay {
    /// Those for which an acknowledgement was asked.
    asked: VecDeque<Asked>,
    /// The spans of those that were sent since.
    unasked: Vec<Vec<Span>>,
    /// Whether any has been acknowledged.
    heard: bool,
    /// How many have been acknowledged since that was last counted.
    uncounted: usize,
}

/// Events that one acknowledgement speaks for: that of the last.
struct Asked {
    acknowledged: PublishAckFuture,
    /// The stream's last sequence before that one.
    expected: u64,
    /// The spans of each, which last until then.
    followed: Vec<Vec<Span>>,
}

impl OnTheWay {
    /// All that was sent since the last time hangs on this.
    fn asked(&mut self, acknowledged: PublishAckFuture, expected: u64) {
        self.asked.push_back(Asked {
            acknowledged,
            expected,
            followed: std::mem::take(&mut self.unasked),
        });
    }

    /// The oldest of them are stored, if the last of them is where it should be.
    fn landed(&mut self, acknowledged: Result<PublishAck, BusError>) -> Result<(), BusError> {
        let Some(oldest) = self.asked.pop_front() else {
            return Ok(());
        };
        let expected = oldest.expected;
        if acknowledged?.sequence != expected + 1 {
            return Err(BusError::WrongLastSequence { expected });
        }
        self.heard = true;
        self.uncounted += oldest.followed.len();
        Ok(())
    }

    /// Waits until one more may be published.
    async fn make_room(&mut self) -> Result<(), BusError> {
        let asked: usize = self.asked.iter().map(|asked| asked.followed.len()).sum();
        if asked + self.unasked.len() >= IN_FLIGHT_EVENTS {
            self.oldest_land().await?;
        }
        Ok(())
    }

    /// Waits until all are acknowledged.
    async fn land(&mut self) -> Result<(), BusError> {
        while !self.asked.is_empty() {
            self.oldest_land().await?;
        }
        self.count();
        Ok(())
    }

    fn count(&mut self) {
        measured::relayed(std::mem::take(&mut self.uncounted));
    }

    /// Takes in what has been acknowledged, and waits for nothing.
    fn take_in_landed(&mut self) -> Result<(), BusError> {
        while let Some(oldest) = self.asked.front_mut()
            && let Some(acknowledged) = (&mut oldest.acknowledged).now_or_never()
        {
            self.landed(acknowledged)?;
        }
        self.count();
        Ok(())
    }

    async fn oldest_land(&mut self) -> Result<(), BusError> {
        match self.asked.front_mut() {
            Some(oldest) => {
                let acknowledged = (&mut oldest.acknowledged).await;
                self.landed(acknowledged)
            }
            None => Ok(()),
        }
    }
}

/// Empties the event stream; the active relay then fills it again from the log's beginning. Returns how many events it held.
///
/// # Errors
/// [`BusError`].
pub async fn refill(bus: &dyn Bus) -> Result<u64, BusError> {
    bus.purge_events().await
}
