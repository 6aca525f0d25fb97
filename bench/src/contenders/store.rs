//! The store alone: what is decided elsewhere is recorded with its result, by the appender as in the command-service. Events
//! are as they are; nothing is read from JSON, checked, decided or sealed.

use std::sync::Arc;

use async_trait::async_trait;
use caseledger::database;
use event_store::{Append, Appender, NewEvent, Outcome, PgLedger, Verdict};
use schemas::sealed::KeyAdmission;
use schemas::{AggregateId, ClientName, CommandId, EventId, ServiceName, Version};
use sqlx::PgPool;
use system_tests::{TestDatabase, TestPostgres};
use time::OffsetDateTime;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::Ready;
use crate::load::Command;
use crate::work::{PRIOR_EVENTS, case_id, description};

/// How many cases one call brings with their prior events.
const SEEDED_AT_ONCE: usize = 100;

/// The store on a database of its own.
pub struct Store {
    streams: Arc<Streams>,
    pool: PgPool,
    _database: TestDatabase,
}

/// What a caller of the store knows.
struct Streams {
    appender: Appender,
    /// The version of each case. Who appends to it holds it, as a lane does.
    versions: Vec<Mutex<Version>>,
    client: ClientName,
    service: ServiceName,
}

impl Store {
    /// Sets it up, with the cases and their prior events.
    ///
    /// # Errors
    /// A sentence on what failed.
    pub async fn set_up(postgres: &Arc<TestPostgres>, cases: usize) -> Result<Self, String> {
        let database = postgres.database().await;
        let url = database.role_url("caseledger_writer").await;
        let pool = database::pool(&url, "bench store", database::CONNECTIONS).map_err(|error| error.to_string())?;
        let streams = Streams {
            appender: Appender::start(Arc::new(PgLedger::new(pool.clone()))),
            versions: (0..cases).map(|_| Mutex::new(Version(0))).collect(),
            client: ClientName::new("website").map_err(|error| error.to_string())?,
            service: ServiceName::new("highways").map_err(|error| error.to_string())?,
        };
        for first in (0..cases).step_by(SEEDED_AT_ONCE) {
            streams.seed(first..(first + SEEDED_AT_ONCE).min(cases)).await?;
        }
        let owner = database.owner().await;
        let vacuum = sqlx::raw_sql("VACUUM ANALYZE ledger.events, ledger.commands").execute(&owner);
        vacuum.await.map_err(|error| error.to_string())?;
        owner.close().await;
        Ok(Self {
            streams: Arc::new(streams),
            pool,
            _database: database,
        })
    }
}

impl Streams {
    async fn seed(&self, cases: std::ops::Range<usize>) -> Result<(), String> {
        let prior = 0..PRIOR_EVENTS as i64;
        let together = cases
            .clone()
            .flat_map(|case| prior.clone().map(move |version| (case, Version(version))));
        let together = together.map(|(case, version)| self.update(case, version)).collect();
        self.record(together).await?;
        for version in &self.versions[cases] {
            *version.lock().await = Version(PRIOR_EVENTS as i64);
        }
        Ok(())
    }

    async fn append(&self, case: usize) -> Result<(), String> {
        let mut version = self.versions[case].lock().await;
        self.record(vec![self.update(case, *version)]).await?;
        *version = Version(version.0 + 1);
        Ok(())
    }

    async fn record(&self, commands: Vec<Append>) -> Result<(), String> {
        let verdicts = self.appender.append(commands).await;
        let verdicts = verdicts.map_err(|error| error.to_string())?;
        match verdicts.iter().find(|verdict| !matches!(verdict, Verdict::Appended(_))) {
            None => Ok(()),
            Some(other) => Err(format!("a command was not recorded: {other:?}")),
        }
    }

    /// One command with one event of the size that everybody's have.
    fn update(&self, case: usize, expected: Version) -> Append {
        let data = serde_json::json!({ "description": description(case), "number": expected.0 + 1 });
        Append {
            client: self.client.clone(),
            command_id: CommandId(Uuid::new_v4()),
            fingerprint: [7; 32],
            aggregate_type: "case",
            aggregate_id: AggregateId(case_id(case)),
            service: self.service.clone(),
            expected,
            outcome: Outcome::Accepted {
                reference: None,
                events: vec![NewEvent {
                    event_id: EventId(Uuid::now_v7()),
                    event_type: "RequestUpdated",
                    event_version: "1",
                    payload: data.to_string(),
                    metadata: "{}".to_owned(),
                    occurred_at: OffsetDateTime::now_utc(),
                }],
            },
            external_ref: None,
            keys: KeyAdmission::default(),
            places: Vec::new(),
        }
    }
}

#[async_trait]
impl Ready for Store {
    fn command(&self) -> Command {
        let streams = Arc::clone(&self.streams);
        Arc::new(move |case| {
            let streams = Arc::clone(&streams);
            Box::pin(async move { streams.append(case).await.map(|()| 0) })
        })
    }

    async fn close(self: Box<Self>) {
        self.pool.close().await;
    }
}
