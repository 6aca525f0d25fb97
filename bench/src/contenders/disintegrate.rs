//! `disintegrate` with `disintegrate-postgres`: a decision on the events of one case, without snapshots.

use std::str::FromStr as _;
use std::sync::Arc;

use async_trait::async_trait;
use disintegrate::serde::json::Json;
use disintegrate::{Decision, Event, EventStore, NoSnapshot, StateMutate, StateQuery};
use disintegrate_postgres::{PgDecisionMaker, PgEventStore, decision_maker};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
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

type Store = PgEventStore<CaseEvent, Json<CaseEvent>>;
type Maker = PgDecisionMaker<CaseEvent, Json<CaseEvent>, NoSnapshot>;

/// `serialization_failure`: PostgreSQL's documentation, appendix A.
const SERIALIZATION_FAILURE: &str = "40001";

/// Where it says that somebody is about to append, and how many of a position's bits it takes there: a hexadecimal number, as PostgreSQL
/// reads them from 16 on.
const BEGIN: &str = "event_store_begin_epoch()";
const HEXADECIMAL: &str = "0xFFFFFFFF";

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
        let (store, pool) = started(&database).await.map_err(|error| error.to_string())?;
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

/// A store as `disintegrate-postgres` makes it. Its one function that an older PostgreSQL can't read is taken unread, and then has its one
/// hexadecimal number in decimals: the same to the last bit.
async fn started(database: &TestDatabase) -> Result<(Store, PgPool), disintegrate_postgres::Error> {
    let options = PgConnectOptions::from_str(&database.owner_url())?.options([("check_function_bodies", "off")]);
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS);
    let pool = pool.connect_with(options).await?;
    let store = PgEventStore::try_new(pool.clone(), Json::default()).await?;
    let definition = sqlx::query_scalar::<_, String>("SELECT pg_get_functiondef($1::regprocedure)").bind(BEGIN);
    let definition = definition.fetch_one(&pool).await?;
    let readable = definition.replace(HEXADECIMAL, &u32::MAX.to_string());
    sqlx::raw_sql(&readable).execute(&pool).await?;
    Ok((store, pool))
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
