//! The handler: lanes of commands, decided in chains, appended together with those of other lanes, answered after the commit.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use attachments::AttachmentStore;
use event_store::{Append, Appender, Ledger, LedgerError, Verdict};
use schemas::envelope::CommandEnvelope;
use schemas::problem::ProblemKind;
use schemas::result::{CommandResult, CommandStatus};
use schemas::{AggregateId, Problem, Version};
use tokio::sync::oneshot;
use vault::{Fingerprinter, Keys, Vault};

use crate::cache::{Snapshot, StateCache};
use crate::environment::Environment;
use crate::fault::Fault;
use crate::intake::{Admitted, Registers};
use crate::lanes::{Lanes, Pushed};
use crate::measured::{self, InHand};
use crate::prepare::{Decision, Preparation, rejection_append, service_of_stream};
use crate::references::References;
use crate::streams::load;
use crate::task::{Mode, Task, external_ref_taken, id_reused, recorded_status};

/// How often a chain is decided anew because others wrote or keys changed, before its callers are told to repeat. Each time
/// somebody else has won, so that this many losses in a row mean a stream under siege.
pub const LOSSES_MAX: u32 = 20;

/// How often a chain is tried again while something that it needs is down, before calls are told so. Durable commands go on.
pub const OUTAGES_MAX: u32 = 3;

/// How often a chain that fails for a reason of its own is tried before it is given up (and a durable command is parked).
pub const FAILURES_MAX: u32 = 5;

/// The first wait after an outage; it doubles with each.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(50);

/// The longest such wait.
pub const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// How long to rest after so many outages in a row.
pub fn backoff(outages: u32) -> Duration {
    (BACKOFF_FIRST * 2_u32.saturating_pow(outages.saturating_sub(1))).min(BACKOFF_MAX)
}

/// What the handler is made of.
pub struct HandlerParts {
    /// The log.
    pub ledger: Arc<dyn Ledger>,
    /// Group commit in front of it.
    pub appender: Appender,
    /// Keys.
    pub vault: Arc<Vault>,
    /// Keyed hashes of commands.
    pub fingerprinter: Fingerprinter,
    /// Clients, officers, catalogue.
    pub registers: Registers,
    /// Time and ids.
    pub environment: Arc<dyn Environment>,
    /// The files of cases, where this council keeps some.
    pub files: Option<AttachmentStore>,
}

/// Handles commands.
pub struct Handler {
    ledger: Arc<dyn Ledger>,
    appender: Appender,
    vault: Arc<Vault>,
    fingerprinter: Fingerprinter,
    registers: RwLock<Registers>,
    environment: Arc<dyn Environment>,
    files: Option<AttachmentStore>,
    references: References,
    cache: StateCache,
    lanes: Lanes<Task>,
}

/// One task of a chain, decided.
enum Step {
    /// It waits for the verdict on its append; the stream after it, and its keys.
    Append {
        after: Option<Snapshot>,
        keys: Option<Keys>,
    },
    /// A rejection that is not recorded: nothing is appended.
    Reject(Problem),
}

impl Handler {
    /// A handler of these parts.
    #[must_use]
    pub fn new(parts: HandlerParts) -> Self {
        Self {
            references: References::new(Arc::clone(&parts.ledger)),
            ledger: parts.ledger,
            appender: parts.appender,
            vault: parts.vault,
            fingerprinter: parts.fingerprinter,
            registers: RwLock::new(parts.registers),
            environment: parts.environment,
            files: parts.files,
            cache: StateCache::default(),
            lanes: Lanes::default(),
        }
    }

    /// The registers in force.
    pub fn registers(&self) -> Registers {
        self.registers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other registers in force, for commands that come in from now on.
    pub fn set_registers(&self, registers: Registers) {
        *self.registers.write().unwrap_or_else(PoisonError::into_inner) = registers;
    }

    /// The clock and ids that it was given.
    pub fn environment(&self) -> &dyn Environment {
        self.environment.as_ref()
    }

    pub(crate) fn cache(&self) -> &StateCache {
        &self.cache
    }

    pub(crate) fn ledger(&self) -> &dyn Ledger {
        self.ledger.as_ref()
    }

    pub(crate) fn appender(&self) -> &Appender {
        &self.appender
    }

    /// What a repeat of this command must have in common with it.
    pub(crate) fn fingerprint(&self, envelope: &CommandEnvelope) -> [u8; 32] {
        self.fingerprinter
            .fingerprint(&envelope.command_type, envelope.subject, envelope.data.as_bytes())
    }

    /// Puts a command into its lane, behind those that were put there before. The result comes after the commit. The sender
    /// is dropped where the command could not be handled for a reason of its own: trying again won't help.
    pub fn submit(self: &Arc<Self>, admitted: Admitted, mode: Mode) -> oneshot::Receiver<CommandResult> {
        let Admitted {
            client,
            envelope,
            command,
            lane,
        } = admitted;
        let fingerprint = self.fingerprint(&envelope);
        let (answer, result) = oneshot::channel();
        let in_hand = InHand::begin(Some(command.body.name()), mode, envelope.traceparent.as_deref());
        let task = Task {
            in_hand,
            client,
            envelope,
            command,
            fingerprint,
            lane,
            mode,
            rejection: None,
            keys_refused: false,
            answer,
        };
        if self.lanes.push(lane, task) == Pushed::Opened {
            let handler = Arc::clone(self);
            tokio::spawn(async move { handler.work(lane).await });
        }
        result
    }

    async fn work(&self, lane: AggregateId) {
        let working = self.lanes.working(lane);
        loop {
            let tasks = self.lanes.take(lane);
            if tasks.is_empty() {
                return working.done();
            }
            self.settle(lane, tasks.into()).await;
        }
    }

    /// Tries a chain until each of its tasks is answered or given up.
    async fn settle(&self, lane: AggregateId, mut waiting: VecDeque<Task>) {
        let (mut losses, mut outages, mut failures) = (0, 0, 0);
        while !waiting.is_empty() {
            // After a failure one at a time, so that the one that fails is the one that is given up.
            let mut behind = if failures > 0 {
                waiting.split_off(1)
            } else {
                VecDeque::new()
            };
            let before = waiting.len();
            let attempted = self.attempt(lane, &mut waiting).await;
            let settled = waiting.len() < before;
            waiting.append(&mut behind);
            match attempted {
                Ok(()) if settled => (losses, outages, failures) = (0, 0, 0),
                Ok(()) => {
                    losses += 1;
                    measured::retried("lost");
                }
                Err(Fault::Unavailable(reason)) => {
                    outages += 1;
                    measured::retried("unavailable");
                    tracing::warn!(%lane, reason, outages, "commands wait: something that they need is down");
                    tokio::time::sleep(backoff(outages)).await;
                }
                Err(Fault::Systemic(reason)) => {
                    outages += 1;
                    measured::retried("systemic");
                    tracing::error!(%lane, reason, outages, "commands wait until somebody mends this");
                    tokio::time::sleep(backoff(outages)).await;
                }
                Err(Fault::Broken(reason)) => {
                    failures += 1;
                    measured::retried("failed");
                    tracing::error!(%lane, reason, failures, "a command can't be handled");
                }
            }
            if losses >= LOSSES_MAX || outages >= OUTAGES_MAX {
                give_up_calls(&mut waiting);
            }
            if failures >= FAILURES_MAX {
                // Dropped without an answer: a caller hears `unavailable`, a durable command is parked.
                waiting.pop_front();
                failures = 0;
            }
        }
    }

    /// Decides what waits, appends it, and answers what is settled. What lost stays in `waiting`.
    async fn attempt(&self, lane: AggregateId, waiting: &mut VecDeque<Task>) -> Result<(), Fault> {
        let cached = self.cache.get(lane);
        let creates = waiting.front().is_some_and(|task| task.command.body.creates());
        let start = match (&cached, creates) {
            (Some(_), _) => cached.clone(),
            // Nobody else can have made this stream: its id follows from the command. The append finds a repeat.
            (None, true) => None,
            (None, false) => load(self.ledger.as_ref(), lane).await?,
        };
        let fresh = cached.is_none() && !creates;
        let (steps, appends) = self.decide_chain(waiting, start.clone()).await?;
        let verdicts = match appends.is_empty() {
            true => Vec::new(),
            false => {
                let _followed: Vec<_> = waiting.iter().filter_map(|task| task.in_hand.appending()).collect();
                let appended = self.appender.append(appends).await;
                appended.inspect_err(|error| self.note_append_error(lane, error))?
            }
        };
        self.settle_verdicts(lane, waiting, steps, verdicts, start, fresh).await
    }

    fn note_append_error(&self, lane: AggregateId, error: &LedgerError) {
        if matches!(error, LedgerError::Unknown(_)) {
            // Whether these events are in the log is not known: nothing that was folded may be trusted.
            self.cache.clear();
        } else {
            self.cache.forget(lane);
        }
    }

    async fn decide_chain(
        &self,
        waiting: &mut VecDeque<Task>,
        start: Option<Snapshot>,
    ) -> Result<(Vec<Step>, Vec<Append>), Fault> {
        let registers = self.registers();
        let preparation = Preparation {
            registers: &registers,
            ledger: self.ledger.as_ref(),
            cache: &self.cache,
            vault: &self.vault,
            references: &self.references,
            environment: self.environment.as_ref(),
            files: self.files.as_ref(),
        };
        let (mut steps, mut appends) = (Vec::with_capacity(waiting.len()), Vec::with_capacity(waiting.len()));
        let (mut stream, mut chain_keys) = (start, None);
        for task in waiting {
            match preparation.decide(task, stream.as_ref(), chain_keys.as_ref()).await? {
                Decision::Accepted { append, after, keys } => {
                    task.in_hand.service = Some(append.service.clone());
                    appends.push(*append);
                    stream = after.or(stream);
                    chain_keys = keys.or(chain_keys);
                    steps.push(Step::Append {
                        after: stream.clone(),
                        keys: chain_keys.clone(),
                    });
                }
                Decision::Rejected(problem) if task.mode.records_rejections() => {
                    task.in_hand.service = service_of_stream(stream.as_ref());
                    appends.push(rejection_append(task, stream.as_ref(), &problem)?);
                    steps.push(Step::Append {
                        after: stream.clone(),
                        keys: None,
                    });
                }
                Decision::Rejected(problem) => {
                    task.in_hand.service = service_of_stream(stream.as_ref());
                    steps.push(Step::Reject(problem));
                }
            }
        }
        Ok((steps, appends))
    }

    /// Answers in the order of the chain. From the first loss on, what rests on it stays in `waiting`.
    async fn settle_verdicts(
        &self,
        lane: AggregateId,
        waiting: &mut VecDeque<Task>,
        steps: Vec<Step>,
        verdicts: Vec<Verdict>,
        start: Option<Snapshot>,
        fresh: bool,
    ) -> Result<(), Fault> {
        let mut verdicts = verdicts.into_iter();
        let mut stream = start;
        // Whether the state in `stream` is known to have been the log's since these commands came.
        let mut confirmed = fresh;
        let mut kept = VecDeque::new();
        let (mut lost, mut fault) = (false, None);
        for step in steps {
            let Some(task) = waiting.pop_front() else { break };
            match step {
                Step::Reject(_) if lost => kept.push_back(task),
                Step::Reject(problem) => {
                    let version = stream.as_ref().map_or(Version(0), |stream| stream.version);
                    match self.confirm_rejection(&task, version, confirmed).await {
                        Ok(Confirmed::Stands) => task.answer(CommandStatus::Rejected { problem }),
                        Ok(Confirmed::Recorded(status)) => task.answer(status),
                        Ok(Confirmed::Stale) => {
                            lost = true;
                            kept.push_back(task);
                        }
                        Err(error) => {
                            lost = true;
                            fault = Some(error);
                            kept.push_back(task);
                        }
                    }
                }
                Step::Append { after, keys } => match verdicts.next() {
                    Some(Verdict::Appended(receipt)) => {
                        confirmed = true;
                        stream = after;
                        if let Some(keys) = keys {
                            self.vault.admitted(keys);
                        }
                        task.answer_recorded(receipt);
                    }
                    Some(Verdict::Repeated(receipt)) => {
                        lost = true;
                        task.answer_recorded(receipt);
                    }
                    Some(Verdict::Reused) => {
                        lost = true;
                        task.answer(CommandStatus::Rejected { problem: id_reused() });
                    }
                    Some(Verdict::SlotFull) => {
                        lost = true;
                        kept.push_back(refused(task, domain::Rejection::SlotFull.into()));
                    }
                    Some(Verdict::ExternalRefTaken { .. }) => {
                        lost = true;
                        let problem = external_ref_taken(&task.command);
                        kept.push_back(refused(task, problem));
                    }
                    Some(Verdict::KeyRefused) => {
                        lost = true;
                        if let Some(keys) = keys {
                            self.vault.forget(keys.person(), keys.stream());
                        }
                        kept.push_back(Task {
                            keys_refused: true,
                            ..task
                        });
                    }
                    Some(Verdict::Conflict) | None => {
                        lost = true;
                        kept.push_back(task);
                    }
                },
            }
        }
        kept.append(waiting);
        *waiting = kept;
        match stream {
            Some(stream) if !lost => self.cache.put(lane, stream),
            _ => self.cache.forget(lane),
        }
        fault.map_or(Ok(()), Err)
    }

    /// A call's rejection rests on a state that may be stale, and the command may be a repeat of one that was accepted.
    async fn confirm_rejection(&self, task: &Task, version: Version, confirmed: bool) -> Result<Confirmed, Fault> {
        if let Some(receipt) = self.ledger.receipt(&task.client.name, task.envelope.id).await? {
            let same = receipt.fingerprint == task.fingerprint;
            let status = if same {
                recorded_status(receipt)
            } else {
                CommandStatus::Rejected { problem: id_reused() }
            };
            return Ok(Confirmed::Recorded(status));
        }
        let stands = confirmed || self.ledger.version(task.lane).await? == version;
        Ok(if stands { Confirmed::Stands } else { Confirmed::Stale })
    }
}

enum Confirmed {
    /// It may be answered.
    Stands,
    /// The command was recorded before; this is its answer.
    Recorded(CommandStatus),
    /// The stream has moved on: decide again.
    Stale,
}

fn refused(task: Task, problem: Problem) -> Task {
    Task {
        rejection: Some(problem),
        ..task
    }
}

/// Callers can repeat; durable commands can't, and stay.
fn give_up_calls(waiting: &mut VecDeque<Task>) {
    let (calls, durable): (VecDeque<_>, VecDeque<_>) = waiting.drain(..).partition(|task| task.mode.is_call());
    *waiting = durable;
    for call in calls {
        call.answer(CommandStatus::Unavailable);
    }
}

/// The refusal of a command that the service failed on.
#[must_use]
pub fn not_handled() -> Problem {
    Problem::one(
        ProblemKind::NotAllowed,
        "",
        "not_handled",
        "the service failed on this command; it was put aside for the council to look at",
    )
}
