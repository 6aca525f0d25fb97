//! Leases: who alone may do something for a while.
//!
//! A lease expires by the database's clock. A holder that was paused past its expiry loses it and learns so at the next
//! renewal; what it still sends meanwhile carries an older token than its successor's, and whoever receives both can tell.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::{LedgerError, Reason};

/// How long the database may take to answer. Who waited longer on a line that swallows everything would go on with a lease
/// that it has lost.
pub const LONGEST_LEASE_WAIT: Duration = Duration::from_secs(3);

/// A lease held, as far as this process knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseGrant {
    /// Grows each time the lease changes hands: put it with what must not come from an earlier holder.
    pub token: i64,
    /// Until then nobody else can have it: counted from before the database was asked. Afterwards stop, until it is renewed.
    pub good_until: Instant,
}

impl LeaseGrant {
    /// Whether nobody else can have the lease at this moment.
    #[must_use]
    pub fn is_good(&self, now: Instant) -> bool {
        now < self.good_until
    }
}

/// The leases of one running process. In Postgres they are [`PgLeases`]; a simulation may stand in for them.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes a lease that nobody holds; `None` where somebody does, this process included.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`]: back off and try again.
    async fn acquire(&self, name: &str, keep_for: Duration) -> Result<Option<LeaseGrant>, LedgerError>;

    /// Prolongs a lease; `None` where it has expired or changed hands: stop what it was for, and acquire it anew.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`]: try again while the grant is good. No answer is waited for longer than that.
    async fn renew(&self, name: &str, grant: LeaseGrant, keep_for: Duration)
    -> Result<Option<LeaseGrant>, LedgerError>;

    /// Lets a lease go before its time, so that the next holder need not wait. Nothing happens where it is lost already.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`]: it will expire by itself.
    async fn release(&self, name: &str, grant: LeaseGrant) -> Result<(), LedgerError>;
}

/// Leases that are rows in Postgres.
#[derive(Clone)]
pub struct PgLeases {
    pool: PgPool,
    holder: Uuid,
}

impl fmt::Debug for PgLeases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgLeases")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

impl PgLeases {
    /// `holder` names this run of this process: a new random id for every start. The pool's role needs the rights of
    /// `caseledger_writer` or `caseledger_relay`.
    #[must_use]
    pub const fn new(pool: PgPool, holder: Uuid) -> Self {
        Self { pool, holder }
    }
}

#[async_trait]
impl Leases for PgLeases {
    async fn acquire(&self, name: &str, keep_for: Duration) -> Result<Option<LeaseGrant>, LedgerError> {
        let query = sqlx::query_scalar(include_str!("../sql/acquire_lease.sql"));
        let query = query.bind(name).bind(self.holder).bind(keep_for.as_secs_f64());
        let good_until = Instant::now() + keep_for;
        let token: Option<i64> = answer(LONGEST_LEASE_WAIT, query.fetch_optional(&self.pool)).await?;
        Ok(token.map(|token| LeaseGrant { token, good_until }))
    }

    async fn renew(
        &self,
        name: &str,
        grant: LeaseGrant,
        keep_for: Duration,
    ) -> Result<Option<LeaseGrant>, LedgerError> {
        let query = sqlx::query_scalar(include_str!("../sql/renew_lease.sql"));
        let query = query.bind(name).bind(self.holder).bind(grant.token);
        let query = query.bind(keep_for.as_secs_f64());
        let asked = Instant::now();
        let good_until = asked + keep_for;
        let at_most = match grant.good_until.saturating_duration_since(asked) {
            // It ran out while the holder was paused: the database says what became of it.
            Duration::ZERO => LONGEST_LEASE_WAIT,
            left => left.min(LONGEST_LEASE_WAIT),
        };
        let token: Option<i64> = answer(at_most, query.fetch_optional(&self.pool)).await?;
        Ok(token.map(|token| LeaseGrant { token, good_until }))
    }

    async fn release(&self, name: &str, grant: LeaseGrant) -> Result<(), LedgerError> {
        let query = sqlx::query(include_str!("../sql/release_lease.sql"));
        let query = query.bind(name).bind(self.holder).bind(grant.token);
        answer(LONGEST_LEASE_WAIT, query.execute(&self.pool)).await?;
        Ok(())
    }
}

async fn answer<T>(
    at_most: Duration,
    question: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, LedgerError> {
    match tokio::time::timeout(at_most, question).await {
        Ok(answer) => answer.map_err(|error| LedgerError::of_read(&error)),
        Err(_) => Err(LedgerError::Unavailable(Reason::new("no answer in time"))),
    }
}
