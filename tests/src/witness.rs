//! The witness: remembers every command that was sent and every answer that came, and finds afterwards each promise that was
//! not kept.
//!
//! The promises are the seven of the fault suite, [`Invariant`]. What is broken is a [`Breach`], with the commands and the
//! positions concerned. A test ends with [`Witness::assert_kept`], which asks again for what was never answered, waits until
//! whoever follows the log has caught up, and looks.

mod deliveries;
mod log;
mod pauses;
pub(crate) mod stream;
mod views;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bus::{BusClient, Outgoing};
use schemas::CommandId;
use schemas::result::{CommandResult, CommandStatus};

use crate::{Council, Way};

/// How long whoever follows the log may take to catch up with it.
const CATCH_UP: Duration = Duration::from_secs(120);

/// How long a sender waits who does not care for the answer.
const NO_PATIENCE: Duration = Duration::from_millis(2);

/// What must hold, whatever fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Answered as accepted: exactly one receipt, and its events stand in the log at the answered position, for ever.
    AcceptedIsRecorded,
    /// Never answered: at most one receipt; asking again settles it. And nothing stands in the log that nobody sent.
    UnansweredActsOnce,
    /// Positions run from 1 to the head without holes, and what stood in the log when a checkpoint was kept stands in it still.
    LogIsWhole,
    /// Every view equals a rebuild from the first event on, byte for byte.
    ViewsFollowTheLog,
    /// The event stream holds every position at least once, its bytes equal to the log's.
    StreamHoldsTheLog,
    /// One delivery for each position, recipient and medium; none is missing, and each was sent under one key at least once.
    EachIsToldOnce,
    /// What was refused or could not be read is counted and can be found.
    NothingIsDropped,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AcceptedIsRecorded => "I1 what was accepted is recorded",
            Self::UnansweredActsOnce => "I2 what was never answered acts once at most",
            Self::LogIsWhole => "I3 the log is whole",
            Self::ViewsFollowTheLog => "I4 views follow the log",
            Self::StreamHoldsTheLog => "I5 the stream holds the log",
            Self::EachIsToldOnce => "I6 each is told, by one delivery",
            Self::NothingIsDropped => "I7 nothing is dropped",
        })
    }
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub invariant: Invariant,
    /// What was found.
    pub what: String,
    /// The commands concerned.
    pub commands: Vec<CommandId>,
    /// The positions concerned.
    pub positions: Vec<i64>,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)?;
        if !self.positions.is_empty() {
            write!(f, " (positions {:?})", self.positions)?;
        }
        if !self.commands.is_empty() {
            let commands: Vec<String> = self.commands.iter().map(ToString::to_string).collect();
            write!(f, " (commands {})", commands.join(", "))?;
        }
        Ok(())
    }
}

/// Which parts of the system run in a test, and so what can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Running {
    /// A command-service: the log.
    CommandService,
    /// A relay too: the event stream.
    Relay,
    /// Projections too: the views.
    Projections,
    /// All, the notifier too.
    All,
}

/// A command that was sent, and what came of it.
#[derive(Clone)]
struct Sent {
    client: String,
    command: Outgoing,
    way: Way,
    since: Instant,
    answers: Vec<CommandStatus>,
}

/// What the log held at some moment, kept outside the database.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Checkpoint {
    position: i64,
    digest: String,
}

/// Remembers, and judges.
#[derive(Default)]
pub struct Witness {
    sent: Mutex<BTreeMap<CommandId, Sent>>,
    put_aside: Mutex<BTreeMap<String, usize>>,
    checkpoints: Mutex<Vec<Checkpoint>>,
    accepted: Mutex<Vec<pauses::Acceptance>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Witness {
    /// Calls a command until its result is known.
    ///
    /// # Panics
    /// If the bus refuses it.
    pub async fn call(&self, client: &BusClient, command: &Outgoing) -> CommandResult {
        self.sends(client, command);
        let result = client.call_until_known(command).await.expect("the bus takes the call");
        self.hears(&result);
        result
    }

    /// Sends a command durably until its result is known.
    ///
    /// # Panics
    /// If the bus refuses it.
    pub async fn send(&self, client: &BusClient, command: &Outgoing) -> CommandResult {
        self.remember(client, command, Way::Durable);
        let result = client.send(command).await.expect("the bus takes the command");
        self.hears(&result);
        result
    }

    /// Calls a command once, and goes away before it is answered.
    pub async fn call_and_leave(&self, client: &BusClient, command: &Outgoing) {
        self.sends(client, command);
        if let Ok(Ok(result)) = tokio::time::timeout(NO_PATIENCE, client.call(command)).await {
            self.hears(&result);
        }
    }

    /// Remembers a command that a test sends by itself, as a call.
    pub fn sends(&self, client: &BusClient, command: &Outgoing) {
        self.remember(client, command, Way::Call);
    }

    fn remember(&self, client: &BusClient, command: &Outgoing, way: Way) {
        lock(&self.sent).entry(command.id).or_insert_with(|| Sent {
            client: client.name().to_string(),
            command: command.clone(),
            way,
            since: Instant::now(),
            answers: Vec::new(),
        });
    }

    /// Remembers an answer. That a command is not known to be recorded is none.
    ///
    /// # Panics
    /// If it answers nothing that was sent.
    pub fn hears(&self, result: &CommandResult) {
        if result.status != CommandStatus::Unavailable {
            let mut sent = lock(&self.sent);
            let answered = sent.get_mut(&result.command_id);
            let answered = answered.expect("what is answered was sent");
            answered.answers.push(result.status.clone());
            if matches!(result.status, CommandStatus::Accepted(_)) {
                lock(&self.accepted).push(pauses::Acceptance::now(answered.way, answered.since));
            }
        }
    }

    /// Remembers that a body was sent which has to be among the dead letters afterwards.
    pub fn expects_letter_about(&self, body: &[u8]) {
        *lock(&self.put_aside).entry(bus::digest(body)).or_default() += 1;
    }

    /// How many commands were sent.
    pub fn commands(&self) -> usize {
        lock(&self.sent).len()
    }

    /// How many of them were answered.
    pub fn answered(&self) -> usize {
        let sent = lock(&self.sent);
        sent.values().filter(|sent| !sent.answers.is_empty()).count()
    }

    /// Keeps what the log holds now outside the database: it has to hold that for ever.
    ///
    /// # Panics
    /// If the log can't be read.
    pub async fn keep_checkpoint(&self, council: &Council) {
        let kept = log::checkpoint(council, None).await;
        lock(&self.checkpoints).push(kept);
    }

    /// Asks again for whatever was never answered. Afterwards everything is known.
    ///
    /// # Panics
    /// If the bus refuses it.
    pub async fn settle(&self, council: &Council) {
        let open: Vec<Sent> = lock(&self.sent)
            .values()
            .filter(|sent| sent.answers.is_empty())
            .cloned()
            .collect();
        let mut clients = BTreeMap::new();
        for sent in open {
            if !clients.contains_key(&sent.client) {
                clients.insert(sent.client.clone(), council.client(&sent.client).await);
            }
            self.call(&clients[&sent.client], &sent.command).await;
        }
    }

    /// Each promise that was not kept, as far as it can be told from what runs.
    ///
    /// # Panics
    /// If something can't be looked at.
    pub async fn breaches(&self, council: &Council, running: Running) -> Vec<Breach> {
        let mut breaches = self.breaches_of_log(council).await;
        breaches.extend(self.letters_missing(council).await);
        if running >= Running::Relay {
            breaches.extend(stream::breaches(council).await);
        }
        if running >= Running::Projections {
            breaches.extend(views::breaches(council).await);
        }
        if running >= Running::All {
            breaches.extend(deliveries::breaches(council).await);
        }
        breaches
    }

    /// Settles what was never answered, waits until whoever runs has caught up, and finds every promise kept.
    ///
    /// # Panics
    /// If one was not, with all that were not.
    pub async fn assert_kept(&self, council: &Council, running: Running) {
        self.settle(council).await;
        if running >= Running::All {
            deliveries::wait_until_done(council).await;
        }
        if running >= Running::Projections {
            views::wait_until_caught_up(council).await;
        }
        if running >= Running::Relay {
            stream::wait_until_caught_up(council).await;
        }
        let breaches = self.breaches(council, running).await;
        let told: Vec<String> = breaches.iter().map(ToString::to_string).collect();
        assert!(
            told.is_empty(),
            "{} promises were broken:\n{}",
            told.len(),
            told.join("\n")
        );
        println!("{} commands, every promise kept as far as {running:?}", self.commands());
    }
}
