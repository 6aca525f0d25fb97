//! The model of NATS: requests and answers, the stream of durable commands, results and dead letters, the event stream and those who
//! follow it.
//!
//! It promises as little as NATS does: what it said that it holds may be lost, and a stream may be gone or as it was a while ago.

mod client;
mod commands;
mod events;
mod line;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bus::{DeadLetter, EventMessage, Request};
use bytes::Bytes;
use schemas::{ClientName, CommandId, ServiceName};
use tokio::sync::{mpsc, oneshot};

use crate::ledger::ModelLog;
use crate::process::Process;
use crate::signal::Signal;
use crate::witness::{Broken, Witness};
use crate::world::World;

pub use client::ModelClient;
pub use line::ModelBus;

use commands::CommandStream;
use events::EventStream;

/// The one NATS of a run. Clones share it.
#[derive(Clone)]
pub struct ModelNats {
    pub(crate) world: Arc<World>,
    /// Sees everything that is told, and whether it is so.
    pub(crate) witness: Arc<Witness>,
    server: Arc<Mutex<Server>>,
    /// Grows whenever a durable command may be there to be delivered.
    commands_changed: Arc<Signal>,
    /// Grows with each result.
    results_changed: Arc<Signal>,
}

#[derive(Default)]
struct Server {
    listeners: Vec<Listener>,
    waiting: BTreeMap<String, oneshot::Sender<Bytes>>,
    asked: u64,
    commands: CommandStream,
    results: BTreeMap<(ClientName, CommandId), Vec<Bytes>>,
    letters: Vec<DeadLetter>,
    feeds: BTreeMap<ClientName, Vec<Bytes>>,
    events: EventStream,
    followers: Vec<Follower>,
}

/// What is asked on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Call,
    Query,
    Replay,
}

/// Who takes requests of a kind, with others.
struct Listener {
    of: Asked,
    process: Arc<Process>,
    line: line::Standing,
    requests: mpsc::UnboundedSender<Request>,
}

struct Follower {
    of: Option<ServiceName>,
    process: Arc<Process>,
    line: line::Standing,
    events: mpsc::UnboundedSender<EventMessage>,
}

impl ModelNats {
    /// A NATS that holds nothing. What is told over it is checked against this log.
    #[must_use]
    pub fn new(world: Arc<World>, log: ModelLog) -> Self {
        Self {
            witness: Arc::new(Witness::new(log)),
            world,
            server: Arc::default(),
            commands_changed: Arc::default(),
            results_changed: Arc::default(),
        }
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event stream as it stands: each message's sequence, subject and body.
    #[must_use]
    pub fn event_stream(&self) -> Vec<(u64, EventMessage)> {
        self.server().events.messages()
    }

    /// Every dead letter.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.server().letters.clone()
    }

    /// What was told over it that is not so.
    #[must_use]
    pub fn findings(&self) -> Vec<Broken> {
        self.witness.findings()
    }

    /// Takes the event stream away, until [`ModelNats::make_event_stream`].
    pub fn wipe_events(&self) {
        self.world.step("nats", format_args!("the event stream is gone"));
        self.server().events = EventStream::gone();
    }

    /// Makes an event stream, empty, where there is none.
    pub fn make_event_stream(&self) {
        self.world.step("nats", format_args!("the event stream is made anew"));
        self.server().events.make();
    }

    /// Puts the event stream back to where it was so many messages ago.
    pub fn roll_events_back(&self, by: u64) {
        self.world
            .step("nats", format_args!("the event stream is as it was {by} messages ago"));
        self.server().events.roll_back(by);
    }

    /// Loses one event, the `nth` of those that the stream holds.
    pub fn lose_event(&self, nth: u64) {
        self.world
            .step("nats", format_args!("the event stream has lost its event {nth}"));
        self.server().events.lose(nth);
    }

    /// Takes the stream of durable commands away, with its consumer, and makes it anew. It counts from 1 again.
    pub fn wipe_commands(&self) {
        self.world.step("nats", format_args!("the durable commands are gone"));
        self.server().commands.wipe();
        self.witness.commands_wiped(&self.world);
        self.commands_changed.change();
    }
}

impl std::fmt::Debug for ModelNats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelNats").finish_non_exhaustive()
    }
}
