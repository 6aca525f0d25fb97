//! A PostgreSQL that follows another one, and takes its place.

use std::sync::Arc;

use caseledger::servers::{DataDir, Durability, PostgresServer};
use sqlx::{Connection, PgConnection};

use super::{TestPostgres, blocking, execute};
use crate::council::PATIENCE;
use crate::eventually;

/// What the primary knows a standby as.
const NAME: &str = "standby";

/// A standby that commits of its primary wait for. It ends with the value.
#[derive(Debug)]
pub struct Standby {
    server: PostgresServer,
}

impl TestPostgres {
    /// Makes a standby, and lets commits wait for it once it has caught up.
    ///
    /// # Panics
    /// If it does not come about.
    pub async fn standby(self: &Arc<Self>) -> Standby {
        let primary = Arc::clone(self);
        let start = move || {
            let data = Arc::new(DataDir::temporary()?);
            primary.lock().start_standby(data, NAME, Durability::Full)
        };
        let server = blocking(start).await;
        let server = server.unwrap_or_else(|error| panic!("no standby for the test: {error}"));
        self.wait_for_standby("state = 'streaming'").await;
        self.as_superuser(&format!(
            "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 ({NAME})'"
        ))
        .await;
        self.as_superuser("SELECT pg_reload_conf()").await;
        self.wait_for_standby("sync_state = 'quorum'").await;
        Standby { server }
    }

    /// Lets a standby take the place of its primary, which must be down: it takes writes, and its commits wait for nobody.
    ///
    /// # Panics
    /// If it can't be promoted.
    pub async fn promote(self: &Arc<Self>, standby: Standby) {
        let url = standby.server.superuser_url("postgres");
        for statement in [
            "SELECT pg_promote()",
            "ALTER SYSTEM RESET synchronous_standby_names",
            "SELECT pg_reload_conf()",
        ] {
            let done = execute(&url, statement).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        // Whoever asks for the server from now on gets this one. The one that was killed goes with its data.
        *self.lock() = standby.server;
    }

    async fn wait_for_standby(&self, condition: &str) {
        let url = self.lock().superuser_url("postgres");
        let mut connection = PgConnection::connect(&url).await.expect("a superuser can connect");
        let statement = format!("SELECT EXISTS (SELECT FROM pg_stat_replication WHERE {condition})");
        let connection = tokio::sync::Mutex::new(&mut connection);
        eventually(&format!("a standby has {condition}"), PATIENCE, || async {
            let mut connection = connection.lock().await;
            sqlx::query_scalar::<_, bool>(&statement)
                .fetch_one(&mut **connection)
                .await
                .expect("a primary knows its standbys")
        })
        .await;
    }
}
