//! The log in Postgres.

mod append;
mod rows;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use schemas::{AggregateId, ClientName, CommandId, Position, ServiceName, Version};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection as _, PgPool, Postgres, Row as _, query::Query};
use tokio::sync::Mutex;

use crate::error::LedgerError;
use crate::ledger::{Append, Head, Ledger, Receipt, StoredEvent, Verdict};

/// An appending connection that was idle for longer is tried before it is used: an append over a dead one would end in an
/// unknown outcome where nothing was sent.
const TRUSTED_WHEN_IDLE: Duration = Duration::from_secs(1);

/// The log in Postgres. Reads go through the pool; appends share one connection taken out of it, since the log takes one
/// append at a time anyway, and so no append waits behind reads.
#[derive(Debug)]
pub struct PgLedger {
    pool: PgPool,
    appending: Mutex<Option<Appending>>,
}

#[derive(Debug)]
struct Appending {
    connection: PgConnection,
    last_used: Instant,
}

impl PgLedger {
    /// The log that this pool reaches. Its role needs the rights of `caseledger_writer` to append and to make references, those
    /// of `caseledger_feed` to read.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            appending: Mutex::new(None),
        }
    }

    /// The pool.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn appending_connection(&self, kept: Option<Appending>) -> Result<PgConnection, LedgerError> {
        if let Some(Appending {
            mut connection,
            last_used,
        }) = kept
            && (last_used.elapsed() < TRUSTED_WHEN_IDLE || connection.ping().await.is_ok())
        {
            return Ok(connection);
        }
        let connection = self
            .pool
            .acquire()
            .await
            .map_err(|error| LedgerError::of_read(&error))?;
        Ok(connection.detach())
    }

    async fn events(
        &self,
        query: Query<'_, Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        // `fetch_all` ends with an error where the connection breaks; it never returns a part as if it were the whole.
        let rows = query
            .fetch_all(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))?;
        rows.iter().map(rows::stored_event).collect()
    }

    async fn one(&self, query: Query<'_, Postgres, sqlx::postgres::PgArguments>) -> Result<PgRow, LedgerError> {
        query
            .fetch_one(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))
    }
}

#[async_trait]
impl Ledger for PgLedger {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Verdict>, LedgerError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut slot = self.appending.lock().await;
        // Taken out: where this future is dropped halfway, the connection goes with it.
        let mut connection = self.appending_connection(slot.take()).await?;
        let result = append::append(&mut connection, &batch).await;
        if !matches!(result, Err(LedgerError::Unknown(_))) {
            *slot = Some(Appending {
                connection,
                last_used: Instant::now(),
            });
        }
        result
    }

    async fn stream(&self, aggregate_id: AggregateId, after: Version) -> Result<Vec<StoredEvent>, LedgerError> {
        let query = sqlx::query(include_str!("../../sql/stream.sql"));
        self.events(query.bind(aggregate_id.to_string()).bind(after.0)).await
    }

    async fn streams(&self, ids: &[AggregateId]) -> Result<Vec<StoredEvent>, LedgerError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        self.events(sqlx::query(include_str!("../../sql/streams.sql")).bind(ids))
            .await
    }

    async fn version(&self, aggregate_id: AggregateId) -> Result<Version, LedgerError> {
        let query = sqlx::query(include_str!("../../sql/version.sql"));
        let row = self.one(query.bind(aggregate_id.to_string())).await?;
        rows::read(&row, "version").map(Version)
    }

    async fn feed(
        &self,
        after: Position,
        services: Option<&[ServiceName]>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        match services {
            None => {
                let query = sqlx::query(include_str!("../../sql/feed.sql"));
                self.events(query.bind(after.0).bind(limit)).await
            }
            Some(services) => {
                let services: Vec<&str> = services.iter().map(ServiceName::as_str).collect();
                let query = sqlx::query(include_str!("../../sql/feed_of_services.sql"));
                self.events(query.bind(after.0).bind(limit).bind(services)).await
            }
        }
    }

    async fn head(&self) -> Result<Head, LedgerError> {
        let row = self.one(sqlx::query(include_str!("../../sql/head.sql"))).await?;
        Ok(Head {
            position: Position(rows::read(&row, "position")?),
            recorded_at: rows::read(&row, "recorded_at")?,
        })
    }

    async fn receipt(&self, client: &ClientName, command_id: CommandId) -> Result<Option<Receipt>, LedgerError> {
        let row = sqlx::query(include_str!("../../sql/receipt.sql"))
            .bind(client.as_str())
            .bind(command_id.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))?;
        row.map(|row| {
            let fingerprint: Vec<u8> = rows::read(&row, "fingerprint")?;
            let fingerprint = fingerprint.try_into().map_err(|_| rows::unreadable("fingerprint"))?;
            rows::receipt(&row, client.clone(), command_id, fingerprint)
        })
        .transpose()
    }

    async fn reference_numbers(&self, count: usize) -> Result<Vec<i64>, LedgerError> {
        let rows = sqlx::query(include_str!("../../sql/reference_numbers.sql"))
            .bind(i64::try_from(count).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(|error| LedgerError::of_read(&error))?;
        rows.iter()
            .map(|row| row.try_get("number").map_err(|error| LedgerError::of_read(&error)))
            .collect()
    }
}
