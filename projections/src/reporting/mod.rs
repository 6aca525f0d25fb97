//! Reporting: facts for analysts, without personal data, and with keys of its own for cases and people.

mod action;
mod collection;
mod entitlement;
mod keys;
mod query;
mod request;

use std::fmt;

use async_trait::async_trait;
pub use query::{Counts, RequestCount, counts};
use schemas::event::EventRecord;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::checkpoint::Checkpoint;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::{Generation, Projection, TableDigest, digest};

/// The projection `reporting`.
///
/// Its keys are not in the log: they are made once for each case and customer and kept through every rebuild.
pub struct Reporting {
    new_key: Box<dyn Fn() -> Uuid + Send + Sync>,
}

impl Reporting {
    /// With a source of new keys: random ones (UUIDv4), which say nothing of what they stand for.
    #[must_use]
    pub fn new(new_key: impl Fn() -> Uuid + Send + Sync + 'static) -> Self {
        Self {
            new_key: Box::new(new_key),
        }
    }
}

impl fmt::Debug for Reporting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporting").finish_non_exhaustive()
    }
}

/// The projection's name, for errors.
const NAME: &str = "reporting";

#[async_trait]
impl Projection for Reporting {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema(&self) -> &'static str {
        "reporting"
    }

    async fn apply(
        &self,
        transaction: &mut PgConnection,
        held: &Checkpoint,
        events: &[Event],
    ) -> Result<usize, ProjectionError> {
        let mut of_cases = Vec::new();
        let mut of_entitlements = Vec::new();
        let mut of_rounds = 0;
        for event in events {
            match &event.record {
                EventRecord::Case(record) if request::leaves_a_trace(record) => of_cases.push((event, record)),
                EventRecord::Entitlement(record) => of_entitlements.push((event, record)),
                EventRecord::Round(record) => {
                    collection::apply(transaction, held.generation, record).await?;
                    of_rounds += 1;
                }
                EventRecord::Case(_) | EventRecord::Customer(_) => {}
            }
        }
        if !of_cases.is_empty() {
            request::apply(transaction, held.generation, &of_cases, &self.new_key).await?;
        }
        if !of_entitlements.is_empty() {
            entitlement::apply(transaction, held.generation, &of_entitlements, &self.new_key).await?;
        }
        Ok(events.len() - of_cases.len() - of_entitlements.len() - of_rounds)
    }

    async fn events_held(&self, connection: &mut PgConnection, generation: Generation) -> Result<i64, ProjectionError> {
        let statement = include_str!("../../sql/reporting/events_held.sql");
        Ok(sqlx::query_scalar(statement)
            .bind(generation.0)
            .fetch_one(connection)
            .await?)
    }

    async fn digests(
        &self,
        connection: &mut PgConnection,
        generation: Generation,
    ) -> Result<Vec<TableDigest>, ProjectionError> {
        let mut digests = Vec::new();
        for (table, statement) in [
            ("requests", include_str!("../../sql/reporting/digest_requests.sql")),
            ("rounds", include_str!("../../sql/reporting/digest_rounds.sql")),
            (
                "collections",
                include_str!("../../sql/reporting/digest_collections.sql"),
            ),
            (
                "enforcement_actions",
                include_str!("../../sql/reporting/digest_actions.sql"),
            ),
            (
                "entitlements",
                include_str!("../../sql/reporting/digest_entitlements.sql"),
            ),
        ] {
            digests.push(digest(connection, generation, table, statement).await?);
        }
        Ok(digests)
    }

    async fn delete_other_generations(&self, connection: &mut PgConnection) -> Result<(), ProjectionError> {
        for statement in [
            include_str!("../../sql/reporting/delete_other_requests.sql"),
            include_str!("../../sql/reporting/delete_other_rounds.sql"),
            include_str!("../../sql/reporting/delete_other_collections.sql"),
            include_str!("../../sql/reporting/delete_other_actions.sql"),
            include_str!("../../sql/reporting/delete_other_entitlements.sql"),
        ] {
            sqlx::query(statement).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
