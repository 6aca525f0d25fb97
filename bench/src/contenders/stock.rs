//! Stock `cqrs-es` with `postgres-es`: its framework, its repository, its own pool.

use std::sync::Arc;

use async_trait::async_trait;
use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::GenericQuery;
use cqrs_es::{Aggregate, AggregateError, DomainEvent, EventEnvelope, View};
use postgres_es::{PostgresCqrs, PostgresViewRepository, postgres_cqrs};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use system_tests::{TestDatabase, TestPostgres};

use super::Ready;
use crate::load::Command;
use crate::work::{PRIOR_EVENTS, case_id, description};

/// The table that postgres-es reads and writes, with the columns and the key of its documentation.
const SCHEMA: &str = "
    CREATE TABLE events (
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        sequence bigint NOT NULL CHECK (sequence >= 0),
        event_type text NOT NULL,
        event_version text NOT NULL,
        payload json NOT NULL,
        metadata json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence)
    )";

/// The table of a view, with the columns and the key of its documentation.
const VIEW_SCHEMA: &str = "
    CREATE TABLE case_view (
        view_id text NOT NULL,
        version bigint NOT NULL CHECK (version >= 0),
        payload json NOT NULL,
        PRIMARY KEY (view_id)
    )";

/// A case, as far as this work needs it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Case {
    updates: u64,
    closed: bool,
}

struct Update {
    description: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum CaseEvent {
    Updated { description: String, number: u64 },
}

impl DomainEvent for CaseEvent {
    fn event_type(&self) -> String {
        "RequestUpdated".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the case is closed")
    }
}

impl std::error::Error for Closed {}

impl Aggregate for Case {
    const TYPE: &'static str = "case";
    type Command = Update;
    type Event = CaseEvent;
    type Error = Closed;
    type Services = ();

    async fn handle(&mut self, command: Update, (): &(), sink: &EventSink<Self>) -> Result<(), Closed> {
        if self.closed {
            return Err(Closed);
        }
        let event = CaseEvent::Updated {
            description: command.description,
            number: self.updates + 1,
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: CaseEvent) {
        let CaseEvent::Updated { number, .. } = event;
        self.updates = number;
    }
}

/// A view of a case: what was said of it last.
#[derive(Debug, Default, Serialize, Deserialize)]
struct CaseView {
    updates: u64,
    description: String,
}

impl View<Case> for CaseView {
    fn update(&mut self, event: &EventEnvelope<Case>) {
        let CaseEvent::Updated { description, number } = &event.payload;
        self.updates = *number;
        self.description.clone_from(description);
    }
}

/// A database with the cases' prior events, so many each, in the table that postgres-es reads, and so many connections to it.
pub async fn table_of_events(
    postgres: &Arc<TestPostgres>,
    cases: usize,
    prior: usize,
    connections: u32,
) -> Result<(TestDatabase, PgPool), String> {
    let database = postgres.database_bare().await;
    let connect = async {
        let options = PgPoolOptions::new().max_connections(connections);
        let pool = options.connect(&database.owner_url()).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        seed(&pool, cases, prior).await?;
        Ok::<_, sqlx::Error>(pool)
    };
    let pool = connect.await.map_err(|error| error.to_string())?;
    Ok((database, pool))
}

/// Stock cqrs-es on a database of its own.
pub struct Stock {
    cqrs: Arc<PostgresCqrs<Case>>,
    pool: PgPool,
    _database: TestDatabase,
}

impl Stock {
    /// Sets it up, with the cases and their prior events, and no view.
    pub async fn set_up(postgres: &Arc<TestPostgres>, cases: usize, connections: u32) -> Result<Self, String> {
        Self::set_up_with(postgres, cases, PRIOR_EVENTS, connections).await
    }

    /// The same with one view that each command brings up to date before it is answered.
    pub async fn with_view(postgres: &Arc<TestPostgres>, cases: usize, connections: u32) -> Result<Self, String> {
        let mut stock = Self::set_up(postgres, cases, connections).await?;
        let made = sqlx::raw_sql(VIEW_SCHEMA).execute(&stock.pool).await;
        made.map_err(|error| error.to_string())?;
        let views = PostgresViewRepository::<CaseView, Case>::new("case_view", stock.pool.clone());
        let mut view = GenericQuery::new(Arc::new(views));
        // Two clients' commands to one case at the same moment: the view of the one is behind until the next.
        view.use_error_handler(Box::new(|_| {}));
        stock.cqrs = Arc::new(postgres_cqrs(stock.pool.clone(), vec![Box::new(view)], ()));
        Ok(stock)
    }

    /// The same with so many events in each case.
    pub async fn set_up_with(
        postgres: &Arc<TestPostgres>,
        cases: usize,
        prior: usize,
        connections: u32,
    ) -> Result<Self, String> {
        let (database, pool) = table_of_events(postgres, cases, prior, connections).await?;
        Ok(Self {
            cqrs: Arc::new(postgres_cqrs(pool.clone(), Vec::new(), ())),
            pool,
            _database: database,
        })
    }
}

#[async_trait]
impl Ready for Stock {
    fn command(&self) -> Command {
        let cqrs = Arc::clone(&self.cqrs);
        Arc::new(move |case| {
            let cqrs = Arc::clone(&cqrs);
            Box::pin(async move { execute(&cqrs, case).await })
        })
    }

    async fn close(self: Box<Self>) {
        self.pool.close().await;
    }
}

async fn execute(cqrs: &PostgresCqrs<Case>, case: usize) -> Result<u64, String> {
    let id = case_id(case).to_string();
    for conflicts in 0.. {
        let command = Update {
            description: description(case),
        };
        match cqrs.execute(&id, command).await {
            Ok(()) => return Ok(conflicts),
            Err(AggregateError::AggregateConflict) => {}
            Err(error) => return Err(format!("stock cqrs-es: {error}")),
        }
    }
    Ok(0)
}

/// Prior events, written as postgres-es writes them, by one statement.
async fn seed(pool: &PgPool, cases: usize, events: usize) -> Result<(), sqlx::Error> {
    let ids: Vec<String> = (0..cases).map(|case| case_id(case).to_string()).collect();
    let payloads: Vec<String> = (0..cases)
        .map(|case| serde_json::to_string(&description(case)).unwrap_or_default())
        .collect();
    sqlx::query(
        "INSERT INTO events SELECT 'case', given.id, number, 'RequestUpdated', '1',
             format('{\"Updated\":{\"description\":%s,\"number\":%s}}', given.text, number)::json, '{}'
         FROM unnest($1::text[], $2::text[]) AS given (id, text), generate_series(1, $3::bigint) AS number",
    )
    .bind(ids)
    .bind(payloads)
    .bind(events as i64)
    .execute(pool)
    .await?;
    sqlx::raw_sql("VACUUM ANALYZE events").execute(pool).await?;
    Ok(())
}
