//! Group commit: what many callers hand in is recorded by one append.
//!
//! Shape: one task takes calls from a queue, puts those that wait into one batch, appends it, and gives each caller its
//! verdicts. Cost: one round trip and one commit per batch, whatever its size. Bounds: a batch has at most
//! [`MOST_COMMANDS_PER_BATCH`] commands and about [`MOST_BYTES_PER_BATCH`] of text; at most [`MOST_WAITING_CALLS`] wait, and
//! who comes then waits to be let in; at most [`MOST_BATCHES_ON_THE_WAY`] are sent and not answered. Order: a call is never
//! split, and who waits for its answer before the next call has the two recorded in that order; calls that do not wait for each
//! other may be recorded either way.

use std::collections::VecDeque;
use std::sync::Arc;

use schemas::Position;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::error::{LedgerError, Reason};
use crate::ledger::{Append, Ledger, Outcome, Verdict};
use crate::measured::{self, Waiting};
use crate::pace::Pace;

/// The most commands in one batch; a single call with more goes by itself.
pub const MOST_COMMANDS_PER_BATCH: usize = 512;

/// The most bytes of payload, metadata and problems in one batch; a single call with more goes by itself.
pub const MOST_BYTES_PER_BATCH: usize = 4 * 1024 * 1024;

/// The most batches on their way at once. The log takes one at a time; the second is read and bound by the database meanwhile and
/// begins when the first has been committed, without a way there and back in between.
pub const MOST_BATCHES_ON_THE_WAY: usize = 2;

/// The most calls that wait for a batch.
pub const MOST_WAITING_CALLS: usize = 4_096;

/// A stretch of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The last position before it.
    pub after: Position,
    /// Its last position.
    pub up_to: Position,
}

/// Records what many callers hand in. Clones share one queue; the task ends when the last of them is gone.
#[derive(Clone, Debug)]
pub struct Appender {
    calls: mpsc::Sender<Call>,
}

#[derive(Debug)]
struct Call {
    commands: Vec<Append>,
    caller: Caller,
}

/// Who waits for the verdicts on a call's commands.
#[derive(Debug)]
struct Caller {
    answer: oneshot::Sender<Result<Vec<Verdict>, LedgerError>>,
    /// Counts it for as long as it has no answer.
    _waiting: Waiting,
}

impl Appender {
    /// Starts the task. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(ledger: Arc<dyn Ledger>) -> Self {
        Self::beside_others(ledger, mpsc::unbounded_channel().0)
    }

    /// The same, and tells `others` which positions between its own batches somebody else appended: whoever keeps streams in
    /// memory has missed these. What was appended before its first batch and after its last is not told.
    #[must_use]
    pub fn beside_others(ledger: Arc<dyn Ledger>, others: mpsc::UnboundedSender<Stretch>) -> Self {
        let (calls, queue) = mpsc::channel(MOST_WAITING_CALLS);
        tokio::spawn(
            Committer {
                ledger,
                queue,
                pace: Pace::default(),
                held_over: None,
                flying: VecDeque::new(),
                landed: None,
                known: None,
                others,
            }
            .run(),
        );
        Self { calls }
    }

    /// Records commands, in this order, in one batch with whatever else waits. Those for one stream make a chain: each
    /// expects the version after the one before it. Returns after the commit.
    ///
    /// Where the future is dropped before it is ready, the commands may still be recorded.
    ///
    /// # Errors
    /// Of this call: that another caller's command can't be recorded at all is that caller's error alone.
    /// [`LedgerError::Unknown`]: forget what was read, and ask again.
    pub async fn append(&self, commands: Vec<Append>) -> Result<Vec<Verdict>, LedgerError> {
        let (answer, verdicts) = oneshot::channel();
        let caller = Caller {
            answer,
            _waiting: Waiting::begin(),
        };
        let call = Call { commands, caller };
        self.calls
            .send(call)
            .await
            .map_err(|_| LedgerError::Unavailable(Reason::new("the appender has ended")))?;
        verdicts
            .await
            .unwrap_or_else(|_| Err(LedgerError::Unknown(Reason::new("the appender ended"))))
    }
}

struct Committer {
    ledger: Arc<dyn Ledger>,
    queue: mpsc::Receiver<Call>,
    pace: Pace,
    /// The call that did not fit into the last batch.
    held_over: Option<Call>,
    /// The batches on their way, the earlier first.
    flying: VecDeque<Flight>,
    /// When the last one that has landed did.
    landed: Option<Instant>,
    /// The last position of the last batch that recorded events.
    known: Option<Position>,
    others: mpsc::UnboundedSender<Stretch>,
}

/// A batch on its way.
struct Flight {
    calls: usize,
    sent: Instant,
    landing: JoinHandle<Option<Stretch>>,
}

impl Committer {
    async fn run(mut self) {
        while let Some(batch) = self.gather().await {
            self.flying.push_back(Flight {
                calls: batch.calls.len(),
                sent: Instant::now(),
                landing: tokio::spawn(commit(Arc::clone(&self.ledger), batch.calls)),
            });
        }
    }

    /// The next batch, when there is room for it on the way; none when nobody can call any more.
    async fn gather(&mut self) -> Option<Batch> {
        let first = match self.held_over.take() {
            Some(call) => call,
            None => self.queue.recv().await?,
        };
        let mut batch = Batch::default();
        batch.add(first);
        while self.held_over.is_none()
            && let Ok(call) = self.queue.try_recv()
        {
            self.held_over = batch.take_in(call);
        }
        while let Some(flight) = self.flying.front_mut() {
            // The one before it is on its way: this one follows when it is as large, and waits at the log's door meanwhile.
            let as_large = batch.calls.len() >= flight.calls || self.held_over.is_some();
            if as_large && self.flying.len() < MOST_BATCHES_ON_THE_WAY {
                return Some(batch);
            }
            let flight = self.flying.front_mut()?;
            tokio::select! {
                biased;
                // Each caller has its answer, whatever became of the task.
                landed = &mut flight.landing => self.note_landing(landed.ok().flatten()),
                call = self.queue.recv(), if self.held_over.is_none() => match call {
                    Some(call) => self.held_over = batch.take_in(call),
                    // Nobody calls any more; this is the last.
                    None => return Some(batch),
                },
            }
        }
        self.wait_for_company(&mut batch).await;
        Some(batch)
    }

    /// Takes note of a batch that has landed, and where its own events stand.
    fn note_landing(&mut self, own: Option<Stretch>) {
        let now = Instant::now();
        if let Some(own) = own {
            // Where the log took the later of two batches first, it seems to be somebody else's for a moment: no harm.
            if let Some(after) = self.known.filter(|known| *known < own.after) {
                let up_to = own.after;
                let _ = self.others.send(Stretch { after, up_to });
            }
            self.known = self.known.max(Some(own.up_to));
        }
        if let Some(flight) = self.flying.pop_front() {
            // Until the one before had landed it only waited.
            let began = self.landed.map_or(flight.sent, |landed| landed.max(flight.sent));
            self.pace.committed(flight.calls, began, now);
        }
        self.landed = Some(now);
    }

    async fn wait_for_company(&mut self, batch: &mut Batch) {
        let Some(company) = self.pace.company(Instant::now()) else {
            return;
        };
        while self.held_over.is_none() && batch.calls.len() < company.calls {
            match tokio::time::timeout_at(company.until, self.queue.recv()).await {
                Ok(Some(call)) => self.held_over = batch.take_in(call),
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// Records a batch, and gives the stretch of the log that it filled.
async fn commit(ledger: Arc<dyn Ledger>, mut calls: Vec<Call>) -> Option<Stretch> {
    // Who has gone away before anything was sent need not be served.
    calls.retain(|call| !call.caller.answer.is_closed());
    let (mut together, mut callers) = (Vec::new(), Vec::with_capacity(calls.len()));
    for Call { commands, caller } in calls {
        callers.push((commands.len(), caller));
        together.extend(commands);
    }
    let begun = std::time::Instant::now();
    let appended = ledger.append(&together).await;
    measured::appended(together.len(), begun, &appended);
    match appended {
        Ok(verdicts) => {
            let filled = filled(&together, &verdicts);
            answer_each(callers, verdicts);
            return filled;
        }
        // Something in it can't be recorded at all: nothing of the batch was. Alone, only the culprit fails.
        Err(LedgerError::Unrecordable(_)) if callers.len() > 1 => {
            let mut rest = &together[..];
            for (commands, caller) in callers {
                let (own, others) = rest.split_at(commands);
                rest = others;
                let _ = caller.answer.send(ledger.append(own).await);
            }
        }
        Err(error) => {
            for (_, caller) in callers {
                let _ = caller.answer.send(Err(error.clone()));
            }
        }
    }
    None
}

/// From where to where a batch's own events stand; none where it has none.
fn filled(commands: &[Append], verdicts: &[Verdict]) -> Option<Stretch> {
    let own = commands
        .iter()
        .zip(verdicts)
        .filter_map(|(command, verdict)| match verdict {
            Verdict::Appended(receipt) if !command.events().is_empty() => {
                let events = i64::try_from(command.events().len()).ok()?;
                Some((Position(receipt.position.0 - events), receipt.position))
            }
            _ => None,
        });
    own.map(|(after, up_to)| Stretch { after, up_to })
        .reduce(|all, own| Stretch {
            after: all.after.min(own.after),
            up_to: all.up_to.max(own.up_to),
        })
}

/// Gives each caller the verdicts on so many commands, in their order.
fn answer_each(callers: Vec<(usize, Caller)>, verdicts: Vec<Verdict>) {
    let mut verdicts = verdicts.into_iter();
    for (commands, caller) in callers {
        let own: Vec<Verdict> = verdicts.by_ref().take(commands).collect();
        let whole = own.len() == commands;
        let result = if whole {
            Ok(own)
        } else {
            Err(LedgerError::Unknown(Reason::new("fewer verdicts than commands")))
        };
        // Nobody is waiting where the caller has gone away.
        let _ = caller.answer.send(result);
    }
}

#[derive(Default)]
struct Batch {
    calls: Vec<Call>,
    commands: usize,
    bytes: usize,
}

impl Batch {
    /// Takes a call in where there is room; gives it back where there is none.
    fn take_in(&mut self, call: Call) -> Option<Call> {
        let commands = self.commands + call.commands.len();
        let bytes = self.bytes + bytes_of(&call.commands);
        if commands > MOST_COMMANDS_PER_BATCH || bytes > MOST_BYTES_PER_BATCH {
            return Some(call);
        }
        self.add(call);
        None
    }

    fn add(&mut self, call: Call) {
        self.commands += call.commands.len();
        self.bytes += bytes_of(&call.commands);
        self.calls.push(call);
    }
}

fn bytes_of(commands: &[Append]) -> usize {
    commands
        .iter()
        .map(|command| match &command.outcome {
            Outcome::Accepted { events, .. } => events
                .iter()
                .map(|event| event.payload.len() + event.metadata.len())
                .sum(),
            Outcome::Rejected { problem } => problem.len(),
        })
        .sum()
}

#[cfg(test)]
mod tests;
