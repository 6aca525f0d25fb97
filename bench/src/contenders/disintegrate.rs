//! `disintegrate` with `disintegrate-postgres`: a decision on the events of one case, without snapshots.

use std::sync::Arc;

use async_trait::async_trait;
use disintegrate::serde::json::Json;
use disintegrate::{Decision, Event, EventStore, NoSnapshot, StateMutate, StateQuery};
use disintegrate_postgres::{PgDecisionMaker, PgEventStore, decision_maker};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use system_tests::{TestDatabase, TestPostgres};

use super::Ready;
use crate::load::Command;
use crate::work::{PRIOR_EVENTS, case_id, description};

/// The connections, as many as stock has.
const CONNECTIONS: u32 = 10;

/// How many prior events one append brings.
const SEEDED_AT_ONCE: usize = 500;

#[derive(Clone, Debug, PartialEq, Eq, Event, Serialize, Deserialize)]
enum CaseEvent {
    Updated {
        #[id]
        case_id: String,
        description: String,
        number: u64,
    },
}

#[derive(Clone, Debug, Default, StateQuery, Serialize, Deserialize)]
#[state_query(CaseEvent)]
struct Case {
    #[id]
    case_id: String,
    updates: u64,
}

impl StateMutate for Case {
    fn mutate(&mut self, event: Self::Event) {
        let CaseEvent::Updated { number, .. } = event;
        self.updates = number;
    }
}

struct Update {
    case_id: String,
    description: String,
}

impl Decision for Update {
    type Event = CaseEvent;
    type StateQuery = Case;
    type Error = std::convert::Infallible;

    fn state_query(&self) -> Case {
        Case {
            case_id: self.case_id.clone(),
            ..Case::default()
        }
    }

    fn process(&self, state: &Case) -> Result<Vec<CaseEvent>, Self::Error> {
        Ok(vec![CaseEvent::Updated {
            case_id: self.case_id.clone(),
            description: self.description.clone(),
            number: state.updates + 1,
        }])
    }
}

type Maker = PgDecisionMaker<CaseEvent, Json<CaseEvent>, NoSnapshot>;

/// `serialization_failure`: PostgreSQL's documentation, appendix A.
const SERIALIZATION_FAILURE: &str = "40001";

/// The first PostgreSQL that takes hexadecimal numbers, as disintegrate-postgres 4 writes them.
const OLDEST_POSTGRES: i32 = 16;

/// Why it can't run on this PostgreSQL, where it can't.
pub async fn unfit_for(postgres: &Arc<TestPostgres>) -> Result<Option<String>, String> {
    let pool = postgres.database_bare().await.owner().await;
    let number: String = sqlx::query_scalar("SHOW server_version_num")
        .fetch_one(&pool)
        .await
        .map_err(|error| error.to_string())?;
    pool.close().await;
    let major = number.parse::<i32>().unwrap_or_default() / 10_000;
    let unfit = || format!("disintegrate-postgres 4 needs PostgreSQL {OLDEST_POSTGRES}, this is {major}");
    Ok((major < OLDEST_POSTGRES).then(unfit))
}

/// disintegrate on a database of its own.
pub struct Disintegrate {
    maker: Maker,
    pool: PgPool,
    _database: TestDatabase,
}

impl Disintegrate {
    /// Sets it up, with the cases and their prior events.
    pub async fn set_up(postgres: &Arc<TestPostgres>, cases: usize) -> Result<Self, String> {
        let database = postgres.database_bare().await;
        let options = PgPoolOptions::new().max_connections(CONNECTIONS);
        let pool = options.connect(&database.owner_url()).await;
        let pool = pool.map_err(|error| error.to_string())?;
        let store = PgEventStore::try_new(pool.clone(), Json::default()).await;
        let store = store.map_err(|error| error.to_string())?;
        let prior = |number: usize| {
            (0..cases).map(move |case| CaseEvent::Updated {
                case_id: case_id(case).to_string(),
                description: description(case),
                number: number as u64,
            })
        };
        let prior: Vec<CaseEvent> = (1..=PRIOR_EVENTS).flat_map(prior).collect();
        for some in prior.chunks(SEEDED_AT_ONCE) {
            let seeded = store.append_without_validation(some.to_vec()).await;
            seeded.map_err(|error| error.to_string())?;
        }
        let vacuum = sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await;
        vacuum.map_err(|error| error.to_string())?;
        Ok(Self {
            maker: decision_maker(store, NoSnapshot),
            pool,
            _database: database,
        })
    }
}

/// Decides again and again until nobody came between.
async fn decide(maker: &Maker, case: usize) -> Result<u64, String> {
    for conflicts in 0.. {
        let update = Update {
            case_id: case_id(case).to_string(),
            description: description(case),
        };
        match maker.make(update).await {
            Ok(_) => return Ok(conflicts),
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(0)
}

/// Whether another command came between: found out by itself, or by PostgreSQL, which then says so of a read as well.
fn is_conflict(error: &(dyn std::error::Error + 'static)) -> bool {
    match error.downcast_ref() {
        Some(disintegrate_postgres::Error::Concurrency) => true,
        Some(disintegrate_postgres::Error::Database(error)) => {
            let code = error.as_database_error().and_then(|error| error.code());
            code.is_some_and(|code| code == SERIALIZATION_FAILURE)
        }
        _ => error.source().is_some_and(is_conflict),
    }
}

#[async_trait]
impl Ready for Disintegrate {
    fn command(&self) -> Command {
        let maker = self.maker.clone();
        Arc::new(move |case| {
            let maker = maker.clone();
            Box::pin(async move { decide(&maker, case).await })
        })
    }

    async fn close(self: Box<Self>) {
        self.pool.close().await;
    }
}
