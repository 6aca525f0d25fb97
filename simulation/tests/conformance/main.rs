//! The models and the real servers are asked the same questions: the models must not lie.

// Outside of a test function, too, a test may fail.
#![allow(clippy::unwrap_used, clippy::panic)]

mod alike;
mod bus;
mod ledger;
mod rows;

use std::sync::Arc;

use event_store::{Leases, Ledger, PgLeases, PgLedger};
use rand::SeedableRng as _;
use simulation::{ModelKeyStore, ModelLeases, ModelLedger, ModelLog, Process, Weather, World};
use system_tests::{TestDatabase, database};
use uuid::Uuid;
use vault::{KeyEncryptionKey, KeyRng, Vault};

/// A log and what is kept beside it: a model, or PostgreSQL.
struct Kept {
    ledger: Arc<dyn Ledger>,
    /// Of two processes.
    leases: [Arc<dyn Leases>; 2],
    vault: Vault,
    _database: Option<TestDatabase>,
}

fn key_file() -> Arc<KeyEncryptionKey> {
    Arc::new(KeyEncryptionKey::generate(&mut KeyRng::seed_from_u64(7)).unwrap())
}

/// The model, in fair weather.
fn model() -> Kept {
    let world = Arc::new(World::new(0, Weather::Fair, false));
    let ledger = ModelLedger::new(ModelLog::default(), world, Arc::new(Process::new("model")));
    let leases = || Arc::new(ModelLeases::new(ledger.clone(), Uuid::new_v4())) as Arc<dyn Leases>;
    Kept {
        leases: [leases(), leases()],
        vault: Vault::over(
            Arc::new(ModelKeyStore::new(ledger.clone())),
            key_file(),
            vault::Settings::default(),
            std::time::Instant::now,
        ),
        ledger: Arc::new(ledger),
        _database: None,
    }
}

/// PostgreSQL, as the services reach it.
async fn postgres() -> Kept {
    let database = database().await;
    let pool = database.as_role("caseledger_writer").await;
    let leases = || Arc::new(PgLeases::new(pool.clone(), Uuid::new_v4())) as Arc<dyn Leases>;
    Kept {
        ledger: Arc::new(PgLedger::new(pool.clone())),
        leases: [leases(), leases()],
        vault: Vault::new(
            database.owner().await,
            key_file(),
            vault::Settings::default(),
            std::time::Instant::now,
        ),
        _database: Some(database),
    }
}

/// Asks both.
macro_rules! of_both {
    ($($question:ident),* $(,)?) => {
        mod of_the_model {
            $(#[tokio::test(start_paused = true)]
            async fn $question() {
                super::$question(&crate::model()).await;
            })*
        }
        mod of_postgres {
            $(#[tokio::test]
            async fn $question() {
                super::$question(&crate::postgres().await).await;
            })*
        }
    };
}
pub(crate) use of_both;
