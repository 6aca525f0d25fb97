//! Contractors' feeds: what each has to do, published to it alone, in the order of the log.
//!
//! One process at a time keeps them, by lease. It gives each event that names a contractor its place in that contractor's feed
//! ([`Feeds`]), and publishes what the feed's stream does not hold yet: where the stream ends says how far that is, so that a feed
//! that was emptied is filled again, and a message that was published twice has the place of the first. What a contractor reads is
//! taken from the case as it stood at that event, opened, and sealed for the contractor's own key.

mod content;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::clients::Client;
use bus::limits::FEEDS_MAX_AGE;
use bus::{Bus, BusError};
use event_store::{Feeds, LeaseGrant, Ledger, LedgerError, ToldEvent};
use schemas::feed::{self, FeedKey, JobMessage};
use schemas::{EventId, Position};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use vault::{Vault, VaultError};

use crate::handler::Handler;
use crate::streams::StreamError;

/// The lease of whoever keeps the feeds.
pub const LEASE: &str = "feeds";

/// How often it looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The most positions of the log that are given their places at once.
const MOST_POSITIONS: i64 = 10_000;

/// The most messages that one feed is given before the others have their turn.
const MOST_MESSAGES: i64 = 256;

/// Why the feeds can't be kept for the moment.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The log, or the places.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An event that this release can't read.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The keys.
    #[error(transparent)]
    Vault(#[from] Arc<VaultError>),
    /// The contractor's key can't be sealed for.
    #[error("what is for {0} can't be sealed for the key in its client entry: ask them for another")]
    Key(schemas::ClientName),
    /// The feed holds another message at its end than the log says.
    #[error(
        "the feed of {contractor} and the log differ at place {place}: the log was rolled back, or somebody else published; nothing is \
         told to them until an operator has looked at it"
    )]
    Differs {
        /// Whose feed.
        contractor: schemas::ClientName,
        /// Where.
        place: i64,
    },
    /// A message can't be written, or its event tells nothing to anybody.
    #[error("position {0} can't be told to its contractor: verify the log")]
    Unwritable(Position),
}

impl FeedError {
    /// Whether it passes by itself.
    fn is_transient(&self) -> bool {
        match self {
            Self::Ledger(error) | Self::Stream(StreamError::Ledger(error)) => error.is_transient(),
            Self::Bus(error) => error.is_transient(),
            Self::Vault(error) => matches!(error.as_ref(), VaultError::Unavailable(_)),
            Self::Stream(_) | Self::Key(_) | Self::Differs { .. } | Self::Unwritable(_) => false,
        }
    }
}

/// Keeps the feeds.
pub struct FeedKeeper {
    handler: Arc<Handler>,
    feeds: Feeds,
    ledger: Arc<dyn Ledger>,
    vault: Arc<Vault>,
    bus: Arc<dyn Bus>,
    /// What each feed waits for, as it was told last.
    told: Mutex<BTreeMap<String, String>>,
}

impl FeedKeeper {
    /// A keeper of the feeds of this log.
    pub fn new(
        handler: Arc<Handler>,
        feeds: Feeds,
        ledger: Arc<dyn Ledger>,
        vault: Arc<Vault>,
        bus: Arc<dyn Bus>,
    ) -> Self {
        Self {
            handler,
            feeds,
            ledger,
            vault,
            bus,
            told: Mutex::default(),
        }
    }

    /// Keeps them until `ended`.
    pub async fn keep(&self, _: LeaseGrant, ended: CancellationToken) {
        while !ended.is_cancelled() {
            let placed = self.give_places().await;
            self.tell("contractors' feeds", placed.as_ref().err());
            let more = match placed {
                Ok(more) => self.publish_all(&ended).await || more,
                Err(_) => false,
            };
            let rest = if more { Duration::ZERO } else { LOOK_EVERY };
            tokio::select! {
                () = ended.cancelled() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Gives what is new in the log its places. Whether there is more.
    async fn give_places(&self) -> Result<bool, FeedError> {
        let head = self.feeds.head().await?;
        let up_to = Position(head.log_position.0.min(head.position.0 + MOST_POSITIONS));
        if up_to > head.position {
            self.feeds.take_in(head.position, up_to, &feed::MESSAGES).await?;
        }
        Ok(up_to < head.log_position)
    }

    /// Says what a feed waits for, once, however often it is tried again meanwhile; and that it goes on.
    fn tell(&self, of: &str, error: Option<&FeedError>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            None if told.remove(of).is_some() => tracing::info!(of, "a contractor's feed goes on"),
            None => {}
            Some(error) => {
                let sentence = error.to_string();
                if told.get(of) == Some(&sentence) {
                    return;
                }
                if error.is_transient() {
                    tracing::warn!(of, %error, "a contractor's feed waits");
                } else {
                    tracing::error!(of, %error, "a contractor's feed waits until somebody mends this");
                }
                told.insert(of.to_owned(), sentence);
            }
        }
    }

    /// One contractor's trouble keeps no other waiting. Whether there is more to publish.
    async fn publish_all(&self, ended: &CancellationToken) -> bool {
        let clients = self.handler.registers().clients;
        let mut more = false;
        for client in clients.iter() {
            let Some(key) = client.feed_key else { continue };
            let published = self.publish(client, &key, ended).await;
            self.tell(client.name.as_str(), published.as_ref().err());
            more |= published.unwrap_or(false);
        }
        more
    }

    /// Publishes what the client's feed does not hold yet.
    async fn publish(&self, client: &Client, key: &FeedKey, ended: &CancellationToken) -> Result<bool, FeedError> {
        let now = self.handler.environment().now().get();
        let last = self.bus.last_of_feed(&client.name).await?;
        let last = last.as_deref().and_then(Published::read);
        let since = now - FEEDS_MAX_AGE;
        let place = last.as_ref().map_or(0, |last| last.place);
        // With the one that the feed ends with, to see that it is the same.
        let mut told = self.feeds.after(&client.name, place - 1, since, MOST_MESSAGES).await?;
        let more = i64::try_from(told.len()).is_ok_and(|count| count == MOST_MESSAGES);
        if let Some(last) = &last {
            let same = told
                .first()
                .is_some_and(|first| (first.place, first.event_id) == (last.place, last.event));
            if !same {
                let contractor = client.name.clone();
                return Err(FeedError::Differs { contractor, place });
            }
            told.remove(0);
        }
        for event in told {
            if ended.is_cancelled() {
                return Ok(false);
            }
            let body = self.message(client, key, &event).await?;
            self.bus
                .publish_to_feed(&client.name, &event.event_type, body.into())
                .await?;
        }
        Ok(more)
    }

    async fn message(&self, client: &Client, key: &FeedKey, event: &ToldEvent) -> Result<String, FeedError> {
        let told = content::of(self.ledger.as_ref(), event).await?;
        let mut message = told.message.ok_or(FeedError::Unwritable(event.position))?;
        if message.sharing.is_some() {
            let content = self.open(&told.shared).await?;
            let sealed = vault::seal_for(key, event.event_id, &content, &mut self.handler.environment().key_rng());
            message.content = Some(sealed.map_err(|_| FeedError::Key(client.name.clone()))?);
        }
        let recorded_at = event.recorded_at.into();
        let written = message.write(event.event_id, &event.event_type, recorded_at);
        written.map_err(|_| FeedError::Unwritable(event.position))
    }
}

/// What is published, as far as it says where a feed ends.
struct Published {
    place: i64,
    event: EventId,
}

impl Published {
    fn read(message: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            id: EventId,
        }
        let envelope: Envelope = serde_json::from_slice(message).ok()?;
        Some(Self {
            place: JobMessage::sequence_of(message)?,
            event: envelope.id,
        })
    }
}
