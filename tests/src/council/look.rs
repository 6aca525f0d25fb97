//! What can be looked at of a council from outside.

use async_nats::jetstream;
use serde_json::Value;

use super::Council;
use crate::witness::stream;

impl Council {
    /// Every dead letter, read as somebody who operates NATS would.
    ///
    /// # Panics
    /// If they can't be read.
    pub async fn letters(&self) -> Vec<Value> {
        let held = stream::held(self, "CASELEDGER_DEADLETTERS").await;
        held.iter()
            .map(|body| serde_json::from_slice(body).expect("a dead letter can be read"))
            .collect()
    }

    /// The position of the last event that the event stream holds; 0 where it holds none, or is not there.
    pub async fn stream_end(&self) -> i64 {
        let jetstream = jetstream::new(self.steward().await);
        let Ok(stream) = jetstream.get_stream("CASELEDGER_EVENTS").await else {
            return 0;
        };
        let state = &stream.cached_info().state;
        match stream.get_raw_message(state.last_sequence).await {
            Ok(last) if state.messages > 0 => stream::position(&last.payload).unwrap_or(0),
            _ => 0,
        }
    }

    /// Does something to the log as a superuser, with the triggers off and then on again.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn tamper(&self, statements: &str) {
        let triggers = [
            ("ledger.events", "append_only"),
            ("ledger.commands", "append_only"),
            ("ledger.head", "forward_only"),
        ];
        let turn = |how: &str| -> String {
            let each = triggers.map(|(table, trigger)| format!("ALTER TABLE {table} {how} TRIGGER {trigger};"));
            each.concat()
        };
        let tampering = format!("{} {statements}; {}", turn("DISABLE"), turn("ENABLE ALWAYS"));
        let superuser = self.database.superuser().await;
        sqlx::raw_sql(&tampering)
            .execute(&superuser)
            .await
            .expect("a superuser may");
    }

    /// Keeps a signed checkpoint of the log, called `outside`, and the hashes of its events, in the folder `tiles`.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn keep_audit_checkpoint(&self) {
        let (status, said) = self
            .audit(&["key", "audit-key", "--name", "council.example/caseledger"])
            .await;
        assert_eq!(status, 0, "{said}");
        let (status, said) = self.audit(&["checkpoint", "--tiles", "tiles", "-o", "outside"]).await;
        assert_eq!(status, 0, "{said}");
    }

    /// Runs `caseledger audit`: how it ended, and what it printed.
    ///
    /// # Panics
    /// If it can't be run.
    pub async fn audit(&self, arguments: &[&str]) -> (i32, Value) {
        let mut command = self.command();
        command
            .args(["--json", "audit"])
            .args(arguments)
            .env("CASELEDGER_AUDIT_KEY_FILE", self.path("audit-key"));
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .expect("the call ends")
            .expect("the command can be run");
        let printed = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&output.stderr).into_owned()));
        (output.status.code().unwrap_or(-1), printed)
    }

    /// The whole database as text, but for what the migrations made.
    ///
    /// # Panics
    /// If it can't be dumped.
    pub async fn dump(&self) -> String {
        let superuser = self.database.superuser().await;
        let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
            WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1";
        let tables: Vec<String> = sqlx::query_scalar(tables)
            .fetch_all(&superuser)
            .await
            .expect("the tables are known");
        let mut dump = String::new();
        for table in tables {
            let rows = format!("SELECT coalesce(string_agg(whole::text, chr(10)), '') FROM {table} AS whole");
            let rows: String = sqlx::query_scalar(&rows)
                .fetch_one(&superuser)
                .await
                .expect("a table can be read");
            dump.push_str(&format!("{table}\n{rows}\n"));
        }
        dump
    }
}
