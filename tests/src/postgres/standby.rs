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

impl Standby {
    /// Lets the standby hear nothing any more, and waits until a commit of its primary waits for it in vain.
    ///
    /// # Panics
    /// If no commit waits: then what the standby lacks would be answered.
    pub async fn cut_off(&self, primary: &TestPostgres) {
        let url = self.server.superuser_url("postgres");
        for statement in ["ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()"] {
            let done = execute(&url, statement).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        primary
            .comes_to_be(
                "a commit waits for the standby",
                "pg_stat_activity WHERE wait_event = 'SyncRep'",
            )
            .await;
    }
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
        self.comes_to_be("the standby streams", "pg_stat_replication WHERE state = 'streaming'")
            .await;
        self.as_superuser(&format!(
            "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 ({NAME})'"
        ))
        .await;
        self.as_superuser("SELECT pg_reload_conf()").await;
        self.comes_to_be(
            "commits wait for the standby",
            "pg_stat_replication WHERE sync_state = 'quorum'",
        )
        .await;
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

    /// Waits until there is such a row.
    async fn comes_to_be(&self, what: &str, rows: &str) {
        let url = self.lock().superuser_url("postgres");
        let mut connection = PgConnection::connect(&url).await.expect("a superuser can connect");
        let statement = format!("SELECT EXISTS (SELECT FROM {rows})");
        let connection = tokio::sync::Mutex::new(&mut connection);
        eventually(what, PATIENCE, || async {
            let mut connection = connection.lock().await;
            sqlx::query_scalar::<_, bool>(&statement)
                .fetch_one(&mut **connection)
                .await
                .expect("the superuser may look")
        })
        .await;
    }
}
