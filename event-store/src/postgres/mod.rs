//! The log in Postgres.

mod append;
mod json;
mod rows;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::TryStreamExt as _;
use schemas::{AggregateId, ClientName, CommandId, Position, Reference, ServiceName, Version};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, PgPool, Postgres, query::Query};
use tokio::sync::Semaphore;

use crate::appender::MOST_BATCHES_ON_THE_WAY;

use crate::error::{LedgerError, Reason};
use crate::ledger::{Append, ExternalRef, Head, HeadNews, Ledger, Receipt, StoredEvent, Verdict};
use crate::listener::HeadListener;

/// An appending connection that was idle for longer is tried before it is used: an append over a dead one would end in an
/// unknown outcome where nothing was sent.
const TRUSTED_WHEN_IDLE: Duration = Duration::from_secs(1);

/// How long a connection that is tried may take to answer.
const LONGEST_PING: Duration = Duration::from_secs(2);

/// How long an answer is waited for. A line that swallows everything does not break, for a quarter of an hour or more; one
/// append on it would hold up all others. Longer than `ledger.append` waits for its turn, with a slow commit behind it.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The log in Postgres. Reads go through the pool; appends share two connections taken out of it, so that no append waits behind
/// reads. The log takes one append at a time: the second has been read by the database when its turn comes.
#[derive(Debug)]
pub struct PgLedger {
    pool: PgPool,
    longest_wait: Duration,
    /// Connections that append, when they are not in use.
    appending: Mutex<Vec<Appending>>,
    /// Places for appends on their way.
    places: Semaphore,
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
            longest_wait: LONGEST_WAIT,
            appending: Mutex::default(),
            places: Semaphore::new(MOST_BATCHES_ON_THE_WAY),
        }
    }

    /// With another limit than [`LONGEST_WAIT`] for each answer of the database.
    #[must_use]
    pub const fn waiting_at_most(mut self, longest_wait: Duration) -> Self {
        self.longest_wait = longest_wait;
        self
    }

    /// The pool.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Appending>> {
        self.appending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn appending_connection(&self, kept: Option<Appending>) -> Result<PgConnection, LedgerError> {
        if let Some(Appending {
            mut connection,
            last_used,
        }) = kept
            && (last_used.elapsed() < TRUSTED_WHEN_IDLE || answers(&mut connection).await)
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

    /// The answer to a question; that there is none is found out after a while.
    async fn answer<T>(&self, question: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, LedgerError> {
        match tokio::time::timeout(self.longest_wait, question).await {
            Ok(answer) => answer.map_err(|error| LedgerError::of_read(&error)),
            Err(_) => Err(LedgerError::Unavailable(no_answer())),
        }
    }

    async fn events(
        &self,
        query: Query<'_, Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        // Each row is taken apart as it comes, while it is warm. The stream ends with an error where the connection breaks: a part never
        // passes for the whole.
        let rows = query.fetch(&self.pool).map_ok(|row| rows::stored_event(&row));
        let events: Vec<Result<StoredEvent, LedgerError>> = self.answer(rows.try_collect()).await?;
        events.into_iter().collect()
    }
}

async fn answers(connection: &mut PgConnection) -> bool {
    matches!(tokio::time::timeout(LONGEST_PING, connection.ping()).await, Ok(Ok(())))
}

fn no_answer() -> Reason {
    Reason::new("no answer in time")
}

#[async_trait]
impl Ledger for PgLedger {
    async fn append(&self, batch: &[Append]) -> Result<Vec<Verdict>, LedgerError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let place = self.places.acquire().await;
        let _place = place.map_err(|_| LedgerError::Unavailable(Reason::new("appending has ended")))?;
        // Taken out: where this future is dropped halfway, the connection goes with it.
        let kept = self.kept().pop();
        let mut connection = self.appending_connection(kept).await?;
        let appending = append::append(&mut connection, batch);
        let result = tokio::time::timeout(self.longest_wait, appending)
            .await
            .unwrap_or_else(|_| Err(LedgerError::Unknown(no_answer())));
        if !matches!(result, Err(LedgerError::Unknown(_))) {
            let last_used = Instant::now();
            self.kept().push(Appending { connection, last_used });
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
        let row = self
            .answer(query.bind(aggregate_id.to_string()).fetch_one(&self.pool))
            .await?;
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
        let query = sqlx::query(include_str!("../../sql/head.sql"));
        let row = self.answer(query.fetch_one(&self.pool)).await?;
        Ok(Head {
            position: Position(rows::read(&row, "position")?),
            recorded_at: rows::read(&row, "recorded_at")?,
        })
    }

    async fn receipt(&self, client: &ClientName, command_id: CommandId) -> Result<Option<Receipt>, LedgerError> {
        let query = sqlx::query(include_str!("../../sql/receipt.sql"));
        let query = query.bind(client.as_str()).bind(command_id.0);
        let row = self.answer(query.fetch_optional(&self.pool)).await?;
        row.map(|row| {
            let fingerprint: Vec<u8> = rows::read(&row, "fingerprint")?;
            let fingerprint = fingerprint.try_into().map_err(|_| rows::unreadable("fingerprint"))?;
            rows::receipt(&row, client.clone(), command_id, fingerprint)
        })
        .transpose()
    }

    async fn case_of(&self, reference: &Reference) -> Result<Option<AggregateId>, LedgerError> {
        let query = sqlx::query(include_str!("../../sql/case_of.sql")).bind(reference.as_str());
        let row = self.answer(query.fetch_optional(&self.pool)).await?;
        row.map(|row| rows::parse(&row, "aggregate_id")).transpose()
    }

    async fn stream_of(&self, reference: &ExternalRef) -> Result<Option<AggregateId>, LedgerError> {
        let query = sqlx::query(include_str!("../../sql/stream_of.sql"))
            .bind(reference.system.as_str())
            .bind(reference.id.as_str());
        let row = self.answer(query.fetch_optional(&self.pool)).await?;
        row.map(|row| rows::parse(&row, "aggregate_id")).transpose()
    }

    async fn slots_taken(&self, first: &str, end: &str) -> Result<BTreeMap<String, u32>, LedgerError> {
        let query = sqlx::query(include_str!("../../sql/slots_taken.sql"))
            .bind(first)
            .bind(end);
        let rows = self.answer(query.fetch_all(&self.pool)).await?;
        let taken = |row| {
            let taken: i32 = rows::read(row, "taken")?;
            Ok((rows::read(row, "slot")?, u32::try_from(taken).unwrap_or(0)))
        };
        rows.iter().map(taken).collect()
    }

    async fn news(&self) -> Result<Box<dyn HeadNews>, LedgerError> {
        Ok(Box::new(HeadListener::connect(&self.pool).await?))
    }

    async fn reference_numbers(&self, count: usize) -> Result<Vec<i64>, LedgerError> {
        let query = sqlx::query(include_str!("../../sql/reference_numbers.sql"));
        let query = query.bind(i64::try_from(count).unwrap_or(i64::MAX));
        let rows = self.answer(query.fetch_all(&self.pool)).await?;
        rows.iter().map(|row| rows::read(row, "number")).collect()
    }
}
