//! PostgreSQL alone: what any event store on it can reach at most. No reading, no deciding, no conflict.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use hdrhistogram::Histogram;
use sqlx::PgPool;
use system_tests::{TestDatabase, TestPostgres};

use super::Ready;
use super::stock::table_of_events;
use crate::cpu::Cpu;
use crate::load::{Command, Load, Measured};
use crate::work::{PRIOR_EVENTS, case_id, description};

/// The connections of the one-row inserts, as many as stock has.
const CONNECTIONS: u32 = 10;

/// Inserts from arrays, with as many rows as there are clients elsewhere.
const FROM_ARRAYS: &str = "
    INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
    SELECT 'case', given.id, given.sequence, 'RequestUpdated', '1', given.payload::json, '{}'
    FROM unnest($1::text[], $2::bigint[], $3::text[]) AS given (id, sequence, payload)";

/// How rows come into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserting {
    /// One by one, each with a commit, by every client.
    Rows,
    /// As many as there are clients by one statement and commit, by one writer.
    Arrays,
}

/// A bare table of events.
pub struct Bare {
    pool: PgPool,
    inserting: Inserting,
    next: Arc<AtomicI64>,
    _database: TestDatabase,
}

impl Bare {
    /// Sets it up, with the cases and their prior events.
    pub async fn set_up(postgres: &Arc<TestPostgres>, cases: usize, inserting: Inserting) -> Result<Self, String> {
        let (database, pool) = table_of_events(postgres, cases, PRIOR_EVENTS, CONNECTIONS).await?;
        Ok(Self {
            pool,
            inserting,
            next: Arc::new(AtomicI64::new(PRIOR_EVENTS as i64)),
            _database: database,
        })
    }

    /// One writer, for the whole time.
    async fn insert_arrays(&self, load: Load) -> Result<Measured, String> {
        let mut latencies = Histogram::<u64>::new(3).map_err(|error| error.to_string())?;
        let begin = Instant::now() + load.warm_up;
        let mut before = Cpu::now();
        let (mut rows, mut case) = (0, 0);
        loop {
            let sent = Instant::now();
            if sent >= begin + load.time {
                break;
            }
            if sent < begin {
                before = Cpu::now();
            }
            let chosen: Vec<usize> = (0..load.clients).map(|nth| (case + nth) % load.cases).collect();
            case += load.clients;
            insert(&self.pool, &chosen, &self.next).await?;
            if sent >= begin {
                let took = sent.elapsed().as_nanos() as u64;
                latencies.record(took).map_err(|error| error.to_string())?;
                rows += load.clients as u64;
            }
        }
        Ok(Measured::of(
            rows,
            load.time.as_secs_f64(),
            &latencies,
            Cpu::now().since(&before),
        ))
    }
}

async fn insert(pool: &PgPool, cases: &[usize], next: &AtomicI64) -> Result<(), String> {
    let ids: Vec<String> = cases.iter().map(|case| case_id(*case).to_string()).collect();
    // Larger than any of that case so far: nobody looks.
    let sequences: Vec<i64> = cases.iter().map(|_| next.fetch_add(1, Ordering::Relaxed) + 1).collect();
    let payloads: Vec<String> = cases
        .iter()
        .map(|case| serde_json::json!({ "Updated": { "description": description(*case), "number": 6 } }).to_string())
        .collect();
    let insert = sqlx::query(FROM_ARRAYS).bind(ids).bind(sequences).bind(payloads);
    insert.execute(pool).await.map(drop).map_err(|error| error.to_string())
}

#[async_trait]
impl Ready for Bare {
    fn command(&self) -> Command {
        let (pool, next) = (self.pool.clone(), Arc::clone(&self.next));
        Arc::new(move |case| {
            let (pool, next) = (pool.clone(), Arc::clone(&next));
            Box::pin(async move { insert(&pool, &[case], &next).await.map(|()| 0) })
        })
    }

    async fn measure(&mut self, load: Load) -> Option<Result<Measured, String>> {
        match self.inserting {
            Inserting::Rows => None,
            Inserting::Arrays => Some(self.insert_arrays(load).await),
        }
    }

    async fn close(self: Box<Self>) {
        self.pool.close().await;
    }
}
