//! Who sees everything that is told, and says at once where it is not so; and remembers what was asked and answered for the check at the
//! end.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use event_store::{Receipt, ReceiptStatus};
use schemas::result::{CommandResult, CommandStatus};
use schemas::{AggregateId, ClientName, CommandId, Position};

use crate::ledger::ModelLog;
use crate::world::World;

/// What must hold in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// What was answered as accepted is recorded once, with its events, at the answered position; and is answered so again.
    AnsweredIsRecorded,
    /// What was never answered is recorded once at most, and asking again settles it.
    UnansweredAtMostOnce,
    /// Positions have no holes and time does not run back along them; what was answered before another was sent comes before it,
    /// and nobody is refused for how things stood before they asked.
    OneOrder,
    /// A view equals its rebuild from position 0.
    ViewsEqualRebuild,
    /// The event stream holds each event of the log, in order and equal to the byte.
    StreamHoldsTheLog,
    /// What was refused or put aside can be found.
    RefusedIsFindable,
    /// Nothing of an erased person can be opened any more.
    ErasedStaysErased,
    /// Services go on by themselves: once nothing fails any more, everybody is answered and everything is caught up.
    Recovers,
}

/// That an invariant does not hold, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub invariant: Invariant,
    /// When that was seen, since the run's beginning.
    pub at: Duration,
    /// What was seen: commands, positions, processes.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {} ms: {}", self.invariant, self.at.as_millis(), self.what)
    }
}

/// A command as its sender knows it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who sent it.
    pub client: ClientName,
    /// Its id.
    pub id: CommandId,
    /// What it is.
    pub name: String,
    /// To which stream; none where it makes one.
    pub subject: Option<AggregateId>,
    /// What was sent, whole.
    pub body: Bytes,
    /// How it was sent.
    pub sent: Sent,
    /// When it was first sent.
    pub sent_at: Duration,
    /// The answers, in the order in which they came.
    pub answers: Vec<(Duration, CommandResult)>,
}

/// How a command was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Request and reply.
    Call,
    /// Durably.
    Durable,
    /// Durably, the `nth` of several that went to one stream one after another without a wait for answers. The number of the group
    /// comes first.
    InOrder(u64, u64),
    /// Durably, and it can't be read.
    Unreadable,
    /// As a call, and it can't be read.
    UnreadableCall,
    /// With an id that has been used for other content.
    Reused,
}

/// The witness of one run.
#[derive(Debug)]
pub struct Witness {
    log: ModelLog,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    asked: Vec<Asked>,
    broken: Vec<Broken>,
    /// When the stream of durable commands was lost.
    wiped: Vec<Duration>,
}

impl Witness {
    /// Of what is told about this log.
    #[must_use]
    pub fn new(log: ModelLog) -> Self {
        Self {
            log,
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of something that must not be.
    pub fn broken(&self, world: &World, invariant: Invariant, what: String) {
        world.step("witness", format_args!("{invariant:?} is broken: {what}"));
        let at = world.elapsed();
        self.seen().broken.push(Broken { invariant, at, what });
    }

    /// Everything that must not be and was seen.
    #[must_use]
    pub fn findings(&self) -> Vec<Broken> {
        self.seen().broken.clone()
    }

    /// Every command that was sent.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.seen().asked.clone()
    }

    /// The stream of durable commands is lost: what it held is in no order with what comes after.
    pub(crate) fn commands_wiped(&self, world: &World) {
        let at = world.elapsed();
        self.seen().wiped.push(at);
    }

    /// Whether that happened between these two moments.
    pub(crate) fn were_commands_wiped(&self, from: Duration, to: Duration) -> bool {
        self.seen().wiped.iter().any(|at| (from..=to).contains(at))
    }

    /// A command is about to be sent for the first time. Gives its number.
    pub fn sending(&self, asked: Asked) -> usize {
        let mut seen = self.seen();
        seen.asked.push(asked);
        seen.asked.len() - 1
    }

    /// A command of a group had to be sent twice: it has no place in an order any more.
    pub fn sent_twice(&self, number: usize) {
        if let Some(asked) = self.seen().asked.get_mut(number) {
            asked.sent = Sent::Durable;
        }
    }

    /// Its sender has an answer.
    pub fn answered(&self, world: &World, number: usize, result: &CommandResult) {
        let at = world.elapsed();
        if let Some(asked) = self.seen().asked.get_mut(number) {
            asked.answers.push((at, result.clone()));
        }
    }

    /// A service tells somebody the result of a command. What is accepted must be on disk by then; and what is refused must not be
    /// recorded as accepted, as far as that service has seen.
    pub(crate) fn told(&self, world: &World, who: &str, body: &[u8]) {
        let Ok(CommandResult { command_id, status }) = serde_json::from_slice(body) else {
            return;
        };
        let what = {
            let tables = self.log.tables();
            let mut receipts = tables
                .receipts
                .values()
                .filter(|receipt| receipt.command_id == command_id);
            match &status {
                CommandStatus::Accepted(accepted) => {
                    let told = |receipt: &Receipt| {
                        receipt.position == accepted.position && receipt.event_ids == accepted.events
                    };
                    let position = accepted.position;
                    (!receipts.any(told))
                        .then(|| format!("is accepted at position {position}: nothing of it is recorded"))
                }
                CommandStatus::Rejected { problem } if problem.code() != "id_reused" => {
                    let looked = tables.looked.get(&(who.to_owned(), command_id));
                    let overlooked = |receipt: &Receipt| {
                        receipt.status == ReceiptStatus::Accepted
                            && looked.is_none_or(|looked| receipt.recorded_at < *looked)
                    };
                    (receipts.find(|receipt| overlooked(receipt)))
                        .map(|receipt| format!("is refused: it is recorded at position {}", receipt.position))
                }
                CommandStatus::Rejected { .. } | CommandStatus::Unavailable => None,
            }
        };
        if let Some(what) = what {
            let what = format!("{who} answers that {command_id} {what}");
            self.broken(world, Invariant::AnsweredIsRecorded, what);
        }
    }

    /// A relay has published an event where one of these positions belongs.
    pub(crate) fn published(&self, world: &World, who: &str, next: [Position; 2], position: Position, body: &[u8]) {
        if !next.contains(&position) {
            let what = format!(
                "{who} published position {position} in the place of position {}",
                next[0]
            );
            self.broken(world, Invariant::StreamHoldsTheLog, what);
        }
        let stored = {
            let tables = self.log.tables();
            let place = usize::try_from(position.0 - 1).ok();
            place.and_then(|place| tables.events.get(place).cloned())
        };
        let same = stored.is_some_and(|stored| {
            command_service::published(&stored).is_ok_and(|published| published.body.as_ref() == body)
        });
        if !same {
            let what = format!("{who} published other bytes for position {position} than the log has");
            self.broken(world, Invariant::StreamHoldsTheLog, what);
        }
    }
}
