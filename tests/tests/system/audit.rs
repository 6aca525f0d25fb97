//! The audit, with a real database and the real command: what an auditor finds, whoever had a hand in the log.

mod evidence;
mod tampering;
mod whole_system;

use std::path::PathBuf;
use std::process::Command;

use event_store::{Append, NewEvent, Outcome};
use schemas::{CommandId, EventId, Reference};
use serde_json::Value;
use system_tests::council::caseledger;
use tempfile::TempDir;
use uuid::Uuid;

use crate::event_store::{Log, accepted, log, rejected, stream};

/// How many events the log of these tests has: two for each of fifteen cases.
const EVENTS: i64 = 30;

/// The fifth case of the log.
const REFERENCE: &str = "HIG-JBBA-YVGX";

/// An auditor: reads one log with a login of the auditors' role, and has a folder and a key.
struct Auditor {
    log: Log,
    folder: TempDir,
    database_url: String,
    public_key: String,
}

/// What the command printed, and how it ended.
#[derive(Debug)]
struct Answer {
    status: i32,
    json: Value,
    aside: String,
}

impl Auditor {
    /// A log of fifteen cases: each opened by a command with two events, and then refused something, with a receipt and no event.
    async fn of_a_log() -> Self {
        let log = log().await;
        for number in 1..=EVENTS / 2 {
            let id = stream();
            let mut opening = accepted(id, 0, 2);
            if number == 5 {
                opening = opened_as(opening, REFERENCE);
            }
            log.append(vec![opening]).await;
            log.append(vec![rejected(id, 2)]).await;
        }
        Self::of(log).await
    }

    async fn of(log: Log) -> Self {
        let database_url = log.database.role_url("caseledger_auditor").await;
        let folder = tempfile::tempdir().unwrap();
        let mut auditor = Self {
            log,
            folder,
            database_url,
            public_key: String::new(),
        };
        let made = auditor.ask(&["key", "--name", "council.example/caseledger"]).await;
        assert_eq!(made.status, 0, "{made:?}");
        auditor.public_key = made.json["public_key"].as_str().unwrap().to_owned();
        auditor
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `caseledger audit` in the auditor's folder.
    async fn ask(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(caseledger());
        command
            .args(["--json", "audit"])
            .args(arguments)
            .env("CASELEDGER_DATABASE_URL", &self.database_url)
            .env("CASELEDGER_AUDIT_KEY_FILE", self.path("key"))
            .current_dir(self.folder.path());
        run(command).await
    }

    /// The same as somebody who has files and a public key, and no database.
    async fn ask_without_database(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(caseledger());
        command
            .args(["--json", "audit"])
            .args(arguments)
            .env_remove("CASELEDGER_DATABASE_URL")
            .env("CASELEDGER_AUDIT_PUBLIC_KEY", &self.public_key)
            .current_dir(self.folder.path());
        run(command).await
    }

    /// Keeps a checkpoint outside, tiles and an export of the log as it is.
    async fn keep_evidence(&self) {
        for arguments in [
            ["checkpoint", "--tiles", "tiles", "-o", "outside"].as_slice(),
            &["export", "-o", "export"],
        ] {
            let answer = self.ask(arguments).await;
            assert_eq!(answer.status, 0, "{answer:?}");
        }
    }

    /// Does something to the log as a superuser, with the triggers off.
    async fn tamper(&self, statements: &str) {
        let tampering = format!(
            "ALTER TABLE ledger.events DISABLE TRIGGER append_only;
             ALTER TABLE ledger.commands DISABLE TRIGGER append_only;
             ALTER TABLE ledger.head DISABLE TRIGGER forward_only;
             {statements};
             ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER append_only;
             ALTER TABLE ledger.commands ENABLE ALWAYS TRIGGER append_only;
             ALTER TABLE ledger.head ENABLE ALWAYS TRIGGER forward_only"
        );
        let superuser = self.log.database.superuser().await;
        sqlx::raw_sql(&tampering).execute(&superuser).await.unwrap();
    }
}

async fn run(mut command: Command) -> Answer {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    Answer {
        status: output.status.code().unwrap(),
        json: serde_json::from_str(&printed).unwrap_or(Value::Null),
        aside: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Answer {
    /// What was found: kind and place of each.
    fn found(&self) -> Vec<(String, String)> {
        let findings = self.json["findings"].as_array().unwrap_or_else(|| panic!("{self:?}"));
        let place = |finding: &Value| match (finding["position"].as_i64(), finding["through"].as_i64()) {
            (Some(from), Some(through)) if from != through => format!("{from} to {through}"),
            (Some(position), _) => position.to_string(),
            _ => String::new(),
        };
        findings
            .iter()
            .map(|finding| (finding["kind"].as_str().unwrap().to_owned(), place(finding)))
            .collect()
    }

    #[track_caller]
    fn assert_verified(&self) {
        assert_eq!((self.status, self.found()), (0, vec![]), "{self:?}");
    }

    /// That it says no, and names this among what it found.
    #[track_caller]
    fn assert_found(&self, kind: &str, place: &str) {
        let found = self.found();
        assert!(
            found.contains(&(kind.to_owned(), place.to_owned())),
            "no {kind} at {place} in {self:#?}"
        );
        assert_eq!(self.status, 1, "{self:?}");
    }
}

/// The same command, as one that opens a case of this reference.
fn opened_as(append: Append, reference: &str) -> Append {
    let reference: Reference = reference.parse().unwrap();
    let event = |number: u8, payload: String| NewEvent {
        event_id: EventId(Uuid::now_v7()),
        event_type: if number == 1 { "RequestSubmitted" } else { "JobRaised" },
        event_version: "1",
        payload,
        metadata: "{\"client\":\"website\"}".to_owned(),
        occurred_at: time::OffsetDateTime::UNIX_EPOCH,
    };
    let events = vec![
        event(
            1,
            format!("{{\"event\":\"RequestSubmitted\",\"reference\":\"{reference}\"}}"),
        ),
        event(2, "{\"event\":\"JobRaised\",\"note\":\"Caffè – 🗑\"}".to_owned()),
    ];
    Append {
        command_id: CommandId(Uuid::new_v4()),
        outcome: Outcome::Accepted {
            reference: Some(reference),
            events,
        },
        ..append
    }
}
