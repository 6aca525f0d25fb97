//! `caseledger dev` on servers that somebody else runs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::stream::Config;
use caseledger::servers::NatsConfig;
use schemas::subjects::{ALL_EVENTS, EVENTS_STREAM};
use system_tests::council::caseledger;
use system_tests::{Process, TestDatabase, TestNats, database_bare, nats};

/// A whole start, or that it was given up, on a busy machine.
const STARTED: Duration = Duration::from_secs(120);

/// What somebody else's server knows of us before it includes our file.
const NO_ACCOUNTS: &str = "# nothing yet\n";

/// Starts `dev` in `folder` on these servers.
fn dev(folder: &Path, database: &TestDatabase, nats: &TestNats) -> Process {
    let mut command = Command::new(caseledger());
    command
        .args(["dev", "--demo", "--data"])
        .arg(folder.join("data"))
        .env("CASELEDGER_DATABASE_URL", database.owner_url())
        .env("CASELEDGER_NATS_URL", nats.url())
        .env("CASELEDGER_ACCOUNTS_FILE", folder.join("accounts.conf"));
    Process::start(&mut command)
}

#[tokio::test]
async fn dev_waits_until_a_foreign_nats_has_the_accounts_in_force() {
    let (database, nats) = tokio::join!(database_bare(), nats(NatsConfig::new(NO_ACCOUNTS)));
    let folder = tempfile::tempdir().unwrap();

    // Whoever tried it before with everybody let in has left our stream in the account that everybody shares.
    let open = async_nats::connect(nats.url()).await.unwrap();
    let left_behind = Config {
        name: EVENTS_STREAM.to_owned(),
        subjects: vec![ALL_EVENTS.to_owned()],
        ..Config::default()
    };
    jetstream::new(open).create_stream(left_behind).await.unwrap();

    let mut refused = dev(folder.path(), &database, &nats);
    let status = refused.end(STARTED).await;
    let said = refused.output();
    let accounts = folder.path().join("accounts.conf");
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("asks nobody for a password"), "{said}");
    assert!(said.contains(&accounts.display().to_string()), "{said}");

    nats.reload(std::fs::read_to_string(&accounts).unwrap()).await;
    let mut started = dev(folder.path(), &database, &nats);
    started.line("demo cases were sent through the bus", STARTED).await;
    let status = started.stop(STARTED).await;
    assert!(status.success(), "{}", started.output());
}
