//! The model of the leases: rows beside the log that expire by the database's clock.

use std::time::Duration;

use async_trait::async_trait;
use event_store::{LeaseGrant, Leases, LedgerError};
use tokio::time::Instant;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ledger::{LeaseRow, ModelLedger, Tables};

/// The leases of one run of one process.
#[derive(Clone, Debug)]
pub struct ModelLeases {
    line: ModelLedger,
    holder: Uuid,
}

impl ModelLeases {
    /// Over the same line as that process's log; `holder` names this run of it.
    #[must_use]
    pub const fn new(line: ModelLedger, holder: Uuid) -> Self {
        Self { line, holder }
    }

    /// A question of which it is not known, where no answer comes, whether it was done.
    async fn ask<T>(&self, what: &str, answer: impl FnOnce(&mut Tables) -> T) -> Result<T, LedgerError> {
        let answer = self.line.ask(what, Fault::ReadUnanswered, answer).await?;
        if self.line.world.strikes(Fault::LeaseUnanswered) {
            return Err(crate::ledger::unavailable());
        }
        Ok(answer)
    }
}

#[async_trait]
impl Leases for ModelLeases {
    async fn acquire(&self, name: &str, keep_for: Duration) -> Result<Option<LeaseGrant>, LedgerError> {
        let good_until = Instant::now() + keep_for;
        let acquire = |tables: &mut Tables| {
            let now = Instant::now();
            let held = tables.leases.get(name);
            if held.is_some_and(|held| held.expires_at > now) {
                return None;
            }
            let row = LeaseRow {
                holder: self.holder,
                expires_at: now + keep_for,
                token: held.map_or(1, |held| held.token + 1),
            };
            tables.leases.insert(name.to_owned(), row);
            Some(row.token)
        };
        let token = self.ask(&format!("for the lease {name}"), acquire).await?;
        Ok(token.map(|token| LeaseGrant { token, good_until }))
    }

    async fn renew(
        &self,
        name: &str,
        grant: LeaseGrant,
        keep_for: Duration,
    ) -> Result<Option<LeaseGrant>, LedgerError> {
        let good_until = Instant::now() + keep_for;
        let renew = |tables: &mut Tables| {
            let held = held(tables, name, self.holder, grant)?;
            held.expires_at = Instant::now() + keep_for;
            Some(held.token)
        };
        let token = self.ask(&format!("to keep the lease {name}"), renew).await?;
        Ok(token.map(|token| LeaseGrant { token, good_until }))
    }

    async fn release(&self, name: &str, grant: LeaseGrant) -> Result<(), LedgerError> {
        let release = |tables: &mut Tables| {
            if let Some(held) = held(tables, name, self.holder, grant) {
                held.expires_at = Instant::now();
            }
        };
        self.ask(&format!("to let the lease {name} go"), release).await
    }
}

/// The lease, while this grant of it stands.
fn held<'t>(tables: &'t mut Tables, name: &str, holder: Uuid, grant: LeaseGrant) -> Option<&'t mut LeaseRow> {
    let now = Instant::now();
    let stands = |row: &&mut LeaseRow| row.holder == holder && row.token == grant.token && row.expires_at > now;
    tables.leases.get_mut(name).filter(stands)
}
