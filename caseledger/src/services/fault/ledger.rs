//! The log, at which a process may end.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use event_store::{Append, ExternalRef, Head, HeadNews, Ledger, LedgerError, Receipt, StoredEvent, Verdict};
use schemas::{AggregateId, ClientName, CommandId, Position, Reference, ServiceName, Version};

use super::{End, KillPoint};

/// Passes everything on, and ends before or after an append where that was asked for.
pub struct EndingLedger {
    inner: Arc<dyn Ledger>,
    end: Arc<End>,
}

impl EndingLedger {
    pub fn new(inner: Arc<dyn Ledger>, end: Arc<End>) -> Self {
        Self { inner, end }
    }
}

#[async_trait]
impl Ledger for EndingLedger {
    async fn append(&self, batch: &[Append]) -> Result<Vec<Verdict>, LedgerError> {
        self.end.reached(KillPoint::BeforeAppend);
        let verdicts = self.inner.append(batch).await;
        self.end.reached(KillPoint::AfterAppend);
        verdicts
    }

    async fn stream(&self, aggregate_id: AggregateId, after: Version) -> Result<Vec<StoredEvent>, LedgerError> {
        self.inner.stream(aggregate_id, after).await
    }

    async fn streams(&self, ids: &[AggregateId]) -> Result<Vec<StoredEvent>, LedgerError> {
        self.inner.streams(ids).await
    }

    async fn version(&self, aggregate_id: AggregateId) -> Result<Version, LedgerError> {
        self.inner.version(aggregate_id).await
    }

    async fn feed(
        &self,
        after: Position,
        services: Option<&[ServiceName]>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        self.inner.feed(after, services, limit).await
    }

    async fn head(&self) -> Result<Head, LedgerError> {
        self.inner.head().await
    }

    async fn receipt(&self, client: &ClientName, command_id: CommandId) -> Result<Option<Receipt>, LedgerError> {
        self.inner.receipt(client, command_id).await
    }

    async fn case_of(&self, reference: &Reference) -> Result<Option<AggregateId>, LedgerError> {
        self.inner.case_of(reference).await
    }

    async fn stream_of(&self, reference: &ExternalRef) -> Result<Option<AggregateId>, LedgerError> {
        self.inner.stream_of(reference).await
    }

    async fn slots_taken(&self, first: &str, end: &str) -> Result<BTreeMap<String, u32>, LedgerError> {
        self.inner.slots_taken(first, end).await
    }

    async fn reference_numbers(&self, count: usize) -> Result<Vec<i64>, LedgerError> {
        self.inner.reference_numbers(count).await
    }

    async fn news(&self) -> Result<Box<dyn HeadNews>, LedgerError> {
        self.inner.news().await
    }
}
