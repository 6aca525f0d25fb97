//! A log on which something happens just after its end was read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use event_store::{Append, ExternalRef, Head, HeadNews, Ledger, LedgerError, Receipt, StoredEvent, Verdict};
use futures::future::BoxFuture;
use schemas::{AggregateId, ClientName, CommandId, Position, Reference, ServiceName, Version};

/// The real log; `then` is done once, between the first reading of its end and the answer.
pub struct Meanwhile<F> {
    log: Arc<dyn Ledger>,
    done: AtomicBool,
    then: F,
}

impl<F> Meanwhile<F> {
    pub fn new(log: Arc<dyn Ledger>, then: F) -> Self {
        let done = AtomicBool::new(false);
        Self { log, done, then }
    }
}

#[async_trait]
impl<F: Fn() -> BoxFuture<'static, ()> + Send + Sync> Ledger for Meanwhile<F> {
    async fn append(&self, batch: &[Append]) -> Result<Vec<Verdict>, LedgerError> {
        self.log.append(batch).await
    }

    async fn stream(&self, aggregate_id: AggregateId, after: Version) -> Result<Vec<StoredEvent>, LedgerError> {
        self.log.stream(aggregate_id, after).await
    }

    async fn streams(&self, ids: &[AggregateId]) -> Result<Vec<StoredEvent>, LedgerError> {
        self.log.streams(ids).await
    }

    async fn version(&self, aggregate_id: AggregateId) -> Result<Version, LedgerError> {
        self.log.version(aggregate_id).await
    }

    async fn feed(
        &self,
        after: Position,
        services: Option<&[ServiceName]>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        let events = self.log.feed(after, services, limit).await?;
        // At the end a projection reads again only what it has.
        if events.len() <= 1 && !self.done.swap(true, Ordering::SeqCst) {
            (self.then)().await;
        }
        Ok(events)
    }

    async fn head(&self) -> Result<Head, LedgerError> {
        self.log.head().await
    }

    async fn receipt(&self, client: &ClientName, command_id: CommandId) -> Result<Option<Receipt>, LedgerError> {
        self.log.receipt(client, command_id).await
    }

    async fn case_of(&self, reference: &Reference) -> Result<Option<AggregateId>, LedgerError> {
        self.log.case_of(reference).await
    }

    async fn stream_of(&self, reference: &ExternalRef) -> Result<Option<AggregateId>, LedgerError> {
        self.log.stream_of(reference).await
    }

    async fn slots_taken(&self, first: &str, end: &str) -> Result<BTreeMap<String, u32>, LedgerError> {
        self.log.slots_taken(first, end).await
    }

    async fn news(&self) -> Result<Box<dyn HeadNews>, LedgerError> {
        self.log.news().await
    }

    async fn reference_numbers(&self, count: usize) -> Result<Vec<i64>, LedgerError> {
        self.log.reference_numbers(count).await
    }
}
