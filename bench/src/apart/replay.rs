//! Replay: the whole log in order. Ours is read as a subscription reads it, a page at a time and one ahead, checked for gaps and
//! decoded, nothing opened; beside it stand `postgres-es`' own stream of a whole table, and the same rows as a bare stream of text.

use std::sync::Arc;
use std::time::Instant;

use cqrs_es::persist::PersistedEventRepository;
use domain::Case;
use event_store::{MOST_EVENTS_PER_BATCH, Pages, PgLedger};
use futures::TryStreamExt;
use postgres_es::PostgresEventRepository;
use schemas::Position;
use schemas::event::EventRecord;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Row};
use system_tests::TestPostgres;

use crate::contenders::Ours;

/// One way of reading everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Replay {
    /// Who read.
    pub reader: String,
    /// Events a second, of each run, the slowest first.
    pub rates: Vec<f64>,
}

impl Replay {
    /// The run in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.rates.get(self.rates.len() / 2).copied().unwrap_or_default()
    }
}

/// Measures how fast so many events are read.
///
/// # Errors
/// A sentence on what failed.
pub async fn measure(postgres: &Arc<TestPostgres>, events: usize, runs: usize) -> Result<Vec<Replay>, String> {
    let ours = Ours::set_up(postgres, 1).await?;
    let pool = ours.with_events(events).await?;
    let mut replays = Vec::new();
    for reader in ["caseledger", "postgres-es", "bare-stream"] {
        let mut rates = Vec::new();
        for _ in 0..runs {
            let began = Instant::now();
            let read = match reader {
                "caseledger" => by_ledger(&pool).await?,
                "postgres-es" => by_postgres_es(&pool).await?,
                _ => by_rows(&pool).await?,
            };
            if read < events {
                return Err(format!("{reader} read {read} of {events} events"));
            }
            rates.push(read as f64 / began.elapsed().as_secs_f64());
        }
        rates.sort_by(f64::total_cmp);
        replays.push(Replay {
            reader: reader.to_owned(),
            rates,
        });
    }
    pool.close().await;
    ours.let_go().await;
    Ok(replays)
}

/// As a subscription reads, when it catches up or is rebuilt.
async fn by_ledger(pool: &PgPool) -> Result<usize, String> {
    let mut pages = Pages::new(Arc::new(PgLedger::new(pool.clone())), MOST_EVENTS_PER_BATCH);
    let (mut after, mut read) = (Position::START, 0);
    loop {
        let page = pages.after(after).await.map_err(|error| error.to_string())?;
        if page.is_empty() {
            return Ok(read);
        }
        for event in &page {
            if event.position != after.next() {
                return Err(format!("position {} is missing", after.next()));
            }
            after = event.position;
            let record = EventRecord::read(
                &event.aggregate_type,
                &event.event_type,
                &event.event_version,
                &event.payload,
            );
            std::hint::black_box(record.map_err(|error| error.to_string())?);
        }
        read += page.len();
    }
}

async fn by_postgres_es(pool: &PgPool) -> Result<usize, String> {
    let repository = PostgresEventRepository::new(pool.clone()).with_tables("ledger.events", "none");
    let stream = repository.stream_all_events::<Case>().await;
    let mut stream = stream.map_err(|error| error.to_string())?;
    let mut read = 0;
    while let Some(event) = stream.next::<Case>(&[]).await {
        std::hint::black_box(event.map_err(|error| error.to_string())?);
        read += 1;
    }
    Ok(read)
}

async fn by_rows(pool: &PgPool) -> Result<usize, String> {
    let mut rows = sqlx::query(
        "SELECT position, aggregate_id, sequence, event_type, payload::text AS payload, metadata::text AS metadata
         FROM ledger.events ORDER BY position",
    )
    .fetch(pool);
    let mut read = 0;
    while let Some(row) = rows.try_next().await.map_err(|error| error.to_string())? {
        let text = |column: &str| row.try_get::<String, _>(column).map_err(|error| error.to_string());
        std::hint::black_box((
            text("aggregate_id")?,
            text("event_type")?,
            text("payload")?,
            text("metadata")?,
        ));
        read += 1;
    }
    Ok(read)
}
