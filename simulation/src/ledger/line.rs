//! One process's line to the log, and what fails on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event_store::{
    Append, ExternalRef, Head, HeadNews, LONGEST_WAIT, Ledger, LedgerError, Reason, Receipt, StoredEvent, Verdict,
};
use schemas::{AggregateId, ClientName, CommandId, Position, Reference, ServiceName, Version};

use super::{ModelLog, Tables};
use crate::fault::Fault;
use crate::process::Process;
use crate::world::World;

/// How long a slow commit takes.
const SLOW: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// How long an ordinary commit takes at most.
const COMMIT: Duration = Duration::from_millis(8);

/// How long after its caller gave up an append is still committed, at most.
const LATE: Duration = Duration::from_secs(5);

/// The log, as one process reaches it.
#[derive(Clone, Debug)]
pub struct ModelLedger {
    pub(crate) log: ModelLog,
    pub(crate) world: Arc<World>,
    pub(crate) process: Arc<Process>,
}

pub(crate) fn unavailable() -> LedgerError {
    LedgerError::Unavailable(Reason::new("the simulated line broke"))
}

fn unknown() -> LedgerError {
    LedgerError::Unknown(Reason::new("the simulated answer was lost"))
}

impl ModelLedger {
    /// A line from this process to this log.
    #[must_use]
    pub const fn new(log: ModelLog, world: Arc<World>, process: Arc<Process>) -> Self {
        Self { log, world, process }
    }

    /// A question to the log: it goes there, is answered from what is committed at that instant, and the answer comes back.
    pub(crate) async fn ask<T>(
        &self,
        what: &str,
        fault: Fault,
        answer: impl FnOnce(&mut Tables) -> T,
    ) -> Result<T, LedgerError> {
        self.process.runs().await;
        self.world.travel().await;
        if self.world.is_log_away() || self.world.strikes(fault) {
            self.world
                .step(self.process.name(), format_args!("asks {what} and hears nothing"));
            return Err(unavailable());
        }
        let answer = answer(&mut self.log.tables());
        self.world.step(self.process.name(), format_args!("asks {what}"));
        self.world.travel().await;
        self.process.runs().await;
        Ok(answer)
    }

    async fn read<T>(&self, what: &str, answer: impl FnOnce(&mut Tables) -> T) -> Result<T, LedgerError> {
        self.ask(what, Fault::ReadUnanswered, answer).await
    }

    fn commit(&self, batch: &[Append]) -> Result<Vec<Verdict>, LedgerError> {
        let verdicts = self.log.commit(batch, self.world.now());
        let head = self.log.tables().head().position;
        let told = verdicts
            .as_ref()
            .map(|verdicts| verdicts.iter().map(told).collect::<Vec<_>>());
        self.world.step(
            self.process.name(),
            format_args!("appends: {told:?}, the log ends at {head}"),
        );
        verdicts
    }

    /// Commits when the caller has given up.
    async fn commit_late(self, batch: Vec<Append>) {
        let _turn = self.log.turn.lock().await;
        tokio::time::sleep(self.world.between(Duration::ZERO, LATE)).await;
        let _ = self.commit(&batch);
    }
}

/// A verdict, in a word.
fn told(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Appended(_) => "appended",
        Verdict::Repeated(_) => "repeated",
        Verdict::Reused => "reused",
        Verdict::Conflict => "conflict",
        Verdict::KeyRefused => "key",
        Verdict::SlotFull => "slot full",
        Verdict::ExternalRefTaken { .. } => "external reference taken",
    }
}

#[async_trait]
impl Ledger for ModelLedger {
    async fn append(&self, batch: &[Append]) -> Result<Vec<Verdict>, LedgerError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.process.runs().await;
        if self.world.is_log_away() || self.world.strikes(Fault::AppendUnsent) {
            return Err(unavailable());
        }
        self.world.travel().await;
        if self.world.strikes(Fault::AppendLate) {
            tokio::spawn(self.clone().commit_late(batch.to_vec()));
            tokio::time::sleep(self.world.between(Duration::ZERO, LATE)).await;
            self.process.runs().await;
            return Err(unknown());
        }
        let turn = self.log.turn.lock().await;
        let takes = match self.world.strikes(Fault::CommitSlow) {
            true => self.world.between(SLOW.0, SLOW.1),
            false => self.world.between(Duration::ZERO, COMMIT),
        };
        tokio::time::sleep(takes).await;
        if self.world.strikes(Fault::AppendForgotten) {
            drop(turn);
            self.process.runs().await;
            return Err(unknown());
        }
        let verdicts = self.commit(batch);
        drop(turn);
        if self.world.strikes(Fault::AppendUnanswered) {
            self.process.runs().await;
            return Err(unknown());
        }
        self.world.travel().await;
        self.process.runs().await;
        verdicts
    }

    async fn stream(&self, aggregate_id: AggregateId, after: Version) -> Result<Vec<StoredEvent>, LedgerError> {
        self.read("a stream", |tables| tables.stream(aggregate_id, after)).await
    }

    async fn streams(&self, ids: &[AggregateId]) -> Result<Vec<StoredEvent>, LedgerError> {
        let ids: std::collections::BTreeSet<AggregateId> = ids.iter().copied().collect();
        let streams = |tables: &mut Tables| ids.iter().flat_map(|id| tables.stream(*id, Version(0))).collect();
        self.read("streams", streams).await
    }

    async fn version(&self, aggregate_id: AggregateId) -> Result<Version, LedgerError> {
        self.read("a version", |tables| tables.version(aggregate_id)).await
    }

    async fn feed(
        &self,
        after: Position,
        services: Option<&[ServiceName]>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        let page = |tables: &mut Tables| {
            let skipped = usize::try_from(after.0).unwrap_or(0).min(tables.events.len());
            let rest = tables.events.get(skipped..).unwrap_or_default().iter();
            let asked = rest.filter(|event| services.is_none_or(|services| services.contains(&event.service)));
            asked.take(limit).cloned().collect()
        };
        self.read("the log", page).await
    }

    async fn head(&self) -> Result<Head, LedgerError> {
        self.read("the head", |tables| tables.head()).await
    }

    async fn receipt(&self, client: &ClientName, command_id: CommandId) -> Result<Option<Receipt>, LedgerError> {
        let key = (client.clone(), command_id);
        let looked = ((self.process.name().to_owned(), command_id), self.world.now());
        let receipt = |tables: &mut Tables| {
            tables.looked.insert(looked.0, looked.1);
            tables.receipts.get(&key).cloned()
        };
        self.read("a receipt", receipt).await
    }

    async fn case_of(&self, reference: &Reference) -> Result<Option<AggregateId>, LedgerError> {
        self.read("a reference", |tables| {
            tables.references.get(reference.as_str()).copied()
        })
        .await
    }

    async fn stream_of(&self, reference: &ExternalRef) -> Result<Option<AggregateId>, LedgerError> {
        let key = (reference.system.to_string(), reference.id.to_string());
        self.read("an external reference", |tables| {
            tables.external_refs.get(&key).copied()
        })
        .await
    }

    async fn slots_taken(&self, first: &str, end: &str) -> Result<BTreeMap<String, u32>, LedgerError> {
        let taken = |tables: &mut Tables| {
            let mut taken = BTreeMap::new();
            for (slot, _) in tables
                .places
                .iter()
                .filter(|(slot, _)| slot.as_str() >= first && slot.as_str() < end)
            {
                *taken.entry(slot.clone()).or_insert(0) += 1;
            }
            taken
        };
        self.read("slots", taken).await
    }

    async fn news(&self) -> Result<Box<dyn HeadNews>, LedgerError> {
        let heard = self.log.grown.changes();
        self.read("for news", |_| ()).await?;
        Ok(Box::new(News {
            ledger: self.clone(),
            heard,
        }))
    }

    async fn reference_numbers(&self, count: usize) -> Result<Vec<i64>, LedgerError> {
        let numbers = |tables: &mut Tables| {
            let first = tables.numbers + 1;
            tables.numbers += i64::try_from(count).unwrap_or(0);
            (first..=tables.numbers).collect()
        };
        self.read("for numbers", numbers).await
    }
}

/// Word of what is appended, to one process.
struct News {
    ledger: ModelLedger,
    /// How often it has heard that the log has grown.
    heard: u64,
}

#[async_trait]
impl HeadNews for News {
    async fn changed(&mut self, at_most: Duration) -> Result<(), LedgerError> {
        let (world, process) = (&self.ledger.world, &self.ledger.process);
        process.runs().await;
        if world.is_log_away() {
            return Err(unavailable());
        }
        if world.strikes(Fault::NewsUntold) {
            tokio::time::sleep(at_most.min(LONGEST_WAIT)).await;
            self.heard = self.ledger.log.grown.changes();
        } else {
            let _ = tokio::time::timeout(at_most, self.ledger.log.grown.changed(&mut self.heard)).await;
        }
        process.runs().await;
        Ok(())
    }
}
