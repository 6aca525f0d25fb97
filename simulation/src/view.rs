//! A small view of the log, kept by a consumer over the real subscription, with its position stored beside it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_store::{Consumer, ConsumerError, StoredEvent};
use schemas::{AggregateId, Position};

use crate::fault::Fault;
use crate::process::Process;
use crate::world::World;

/// The rows of a view, which outlive the process that keeps them. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct View(Arc<Mutex<Rows>>);

/// What a view says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// How far it has come.
    pub position: i64,
    /// Of each stream, how many events it has and a hash of all of them in their order: an event that is applied twice, out of
    /// order or not at all gives another.
    pub streams: BTreeMap<AggregateId, (u64, u64)>,
}

impl Rows {
    /// The view of these events.
    #[must_use]
    pub fn of(events: &[StoredEvent]) -> Self {
        let mut rows = Self::default();
        events.iter().for_each(|event| rows.apply(event));
        rows
    }

    fn apply(&mut self, event: &StoredEvent) {
        let (count, so_far) = self.streams.entry(event.aggregate_id).or_default();
        let mut hasher = DefaultHasher::new();
        so_far.hash(&mut hasher);
        event.position.0.hash(&mut hasher);
        (&event.event_type, &event.payload, &event.metadata).hash(&mut hasher);
        (event.recorded_at, event.occurred_at, event.sequence.0).hash(&mut hasher);
        (*count, *so_far) = (*count + 1, hasher.finish());
        self.position = event.position.0;
    }
}

impl View {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says now.
    #[must_use]
    pub fn read(&self) -> Rows {
        self.rows().clone()
    }
}

/// One run of the process that keeps a view.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) view: View,
    pub(crate) world: Arc<World>,
    pub(crate) process: Arc<Process>,
}

#[derive(Debug, thiserror::Error)]
#[error("the simulated view can't be written for the moment")]
struct Unwritten;

fn later() -> ConsumerError {
    ConsumerError::Retry(Box::new(Unwritten))
}

impl Consumer for Viewer {
    async fn checkpoint(&mut self) -> Result<Position, ConsumerError> {
        self.process.runs().await;
        self.world.travel().await;
        if self.world.strikes(Fault::ConsumerFails) {
            return Err(later());
        }
        let position = self.view.rows().position;
        self.process.runs().await;
        Ok(Position(position))
    }

    async fn apply(&mut self, events: Vec<StoredEvent>) -> Result<(), ConsumerError> {
        self.process.runs().await;
        self.world.travel().await;
        if self.world.strikes(Fault::ConsumerFails) {
            return Err(later());
        }
        {
            let mut rows = self.view.rows();
            events.iter().for_each(|event| rows.apply(event));
            let who = self.process.name();
            self.world.step(
                who,
                format_args!("applies {} events up to {}", events.len(), rows.position),
            );
        }
        if self.world.strikes(Fault::ConsumerUnsure) {
            return Err(later());
        }
        self.process.runs().await;
        Ok(())
    }
}
