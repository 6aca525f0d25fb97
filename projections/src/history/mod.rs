//! The history: each case as it stands, its timeline, and its customer. Personal values stay sealed.

mod case;
mod customer;
mod entitlement;
mod query;
mod remembered;
mod timeline;

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
pub use case::Case;
pub use customer::{Consent, Customer, Hazard, Particulars, Representative};
pub use entitlement::{Entitlement, Wanted, entitlements};
pub use query::{
    AsOf, CaseHistory, case_by_id, case_by_reference, case_history, cases_due, cases_of_customer, customer_by_id,
    timeline,
};
use remembered::Remembered;
use schemas::event::EventRecord;
use sqlx::PgConnection;
pub use timeline::TimelineEntry;

use crate::checkpoint::Checkpoint;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::{Generation, Projection, TableDigest, digest};

/// The projection's name, for errors.
const NAME: &str = "history";

/// The projection `history`.
#[derive(Debug, Default)]
pub struct History {
    remembered: Mutex<Remembered>,
}

#[async_trait]
impl Projection for History {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema(&self) -> &'static str {
        "history"
    }

    async fn apply(
        &self,
        transaction: &mut PgConnection,
        held: &Checkpoint,
        events: &[Event],
    ) -> Result<usize, ProjectionError> {
        let mut of_cases = Vec::new();
        let mut of_customers = Vec::new();
        let mut of_entitlements = Vec::new();
        let mut of_others = 0;
        for event in events {
            match &event.record {
                EventRecord::Case(record) => of_cases.push((event, record)),
                EventRecord::Customer(record) => of_customers.push((event, record)),
                EventRecord::Entitlement(record) => of_entitlements.push((event, record)),
                // Nobody's history.
                EventRecord::Round(_) => of_others += 1,
            }
        }
        let generation = held.generation;
        // Whoever applies a batch has the checkpoint locked, and the cases for itself.
        let mut remembered = std::mem::take(&mut *self.remembered.lock().unwrap_or_else(PoisonError::into_inner));
        remembered.must_stand_at(held);
        if !of_cases.is_empty() {
            case::apply(transaction, generation, &of_cases, &mut remembered).await?;
        }
        if !of_customers.is_empty() {
            customer::apply(transaction, generation, &of_customers).await?;
        }
        if !of_entitlements.is_empty() {
            entitlement::apply(transaction, generation, &of_entitlements).await?;
        }
        if let Some(last) = events.last() {
            remembered.stands_after(generation, last.stored.event_id);
            *self.remembered.lock().unwrap_or_else(PoisonError::into_inner) = remembered;
        }
        Ok(of_others)
    }

    async fn events_held(&self, connection: &mut PgConnection, generation: Generation) -> Result<i64, ProjectionError> {
        let statement = include_str!("../../sql/history/events_held.sql");
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
            ("cases", include_str!("../../sql/history/digest_cases.sql")),
            ("customers", include_str!("../../sql/history/digest_customers.sql")),
            (
                "entitlements",
                include_str!("../../sql/history/digest_entitlements.sql"),
            ),
        ] {
            digests.push(digest(connection, generation, table, statement).await?);
        }
        Ok(digests)
    }

    async fn delete_other_generations(&self, connection: &mut PgConnection) -> Result<(), ProjectionError> {
        for statement in [
            include_str!("../../sql/history/delete_other_cases.sql"),
            include_str!("../../sql/history/delete_other_customers.sql"),
            include_str!("../../sql/history/delete_other_entitlements.sql"),
        ] {
            sqlx::query(statement).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
