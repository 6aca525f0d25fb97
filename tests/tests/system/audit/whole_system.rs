//! The audit of what the services wrote.

use audit::Row;
use event_store::{PgLedger, Snapshot};
use schemas::Position;
use schemas::envelope::PublishedEvent;
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

use system_tests::council::{PATIENCE, caseledger, obstruction};
use system_tests::{Council, Process, eventually};

/// First start of everything, set-up of databases included, on a busy machine.
const READY: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leaf_of_every_event_follows_from_what_is_published_and_the_stream_names_what_was_altered() {
    let council = Council::new().await;
    let _services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let website = council.client("website").await;
    let mut reference = String::new();
    for _ in 0..3 {
        let accepted = council
            .accept(&website, "SubmitRequest", None, obstruction("Deep, and \"wide\" – 🕳"))
            .await;
        reference = accepted.reference.unwrap().to_string();
    }

    let owner = council.owner().await;
    let mut snapshot = Snapshot::take(&owner).await.unwrap();
    let stored = event_store::Ledger::feed(&PgLedger::new(owner.clone()), Position::START, None, 1_000)
        .await
        .unwrap();
    for event in &stored {
        let body = command_service::published(event).unwrap().body;
        let heard: PublishedEvent = serde_json::from_slice(&body).unwrap();
        let row = snapshot.next_row().await.unwrap().unwrap();
        assert_eq!(Row::of_published(&heard).unwrap().differing(&row), Vec::<&str>::new());
    }
    assert!(snapshot.next_row().await.unwrap().is_none());
    drop(snapshot);

    let audit = async |arguments: &[&str]| {
        let all = [&["--json", "audit"], arguments].concat();
        let output = council.run(&all, "").await;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let aside = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.code(),
            serde_json::from_str::<Value>(&printed).unwrap_or(Value::Null),
            aside,
        )
    };
    // The relay has published them all.
    let all = stored.len() as u64;
    eventually("the event stream holds the log", PATIENCE, || async {
        let (_, verified, _) = audit(&["verify", "--stream"]).await;
        verified["compared"][0]["positions"].as_u64() == Some(all)
    })
    .await;
    let (status, verified, aside) = audit(&["verify", "--stream"]).await;
    assert_eq!(status, Some(0), "{verified} {aside}");

    let (status, key, aside) = audit(&["key", "key-of-checkpoints", "--name", "council.example/caseledger"]).await;
    assert_eq!(status, Some(0), "{aside}");
    let key = key["public_key"].as_str().unwrap();
    // Without the setting nothing is signed.
    let (status, _, aside) = audit(&["export", "--case", &reference, "-o", "case"]).await;
    assert_eq!(status, Some(2));
    assert!(aside.contains("CASELEDGER_AUDIT_KEY_FILE is not set"), "{aside}");
    assert!(!key.contains("PRIVATE"));

    sqlx::raw_sql(
        "ALTER TABLE ledger.events DISABLE TRIGGER append_only;
         UPDATE ledger.events SET occurred_at = occurred_at - interval '1 hour' WHERE position = 3",
    )
    .execute(&council.database.superuser().await)
    .await
    .unwrap();
    let (status, verified, _) = audit(&["verify", "--stream"]).await;
    assert_eq!(status, Some(1));
    let finding = &verified["findings"][0];
    assert_eq!(
        (&finding["kind"], &finding["position"]),
        (&"altered".into(), &3.into()),
        "{verified}"
    );
    assert_eq!(finding["detail"], "occurred_at differs from the event stream");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dev_makes_a_key_and_keeps_checkpoints_that_its_settings_name() {
    let folder = tempfile::tempdir().unwrap();
    let (data, ready) = (folder.path().join("data"), folder.path().join("ready.json"));
    let mut dev = Command::new(caseledger());
    dev.arg("dev").arg("--data").arg(&data).arg("--ready-file").arg(&ready);
    let mut dev = Process::start(&mut dev);
    eventually("caseledger dev is ready", READY, || async { ready.exists() }).await;
    let told: Value = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
    let tiles = told["env"]["CASELEDGER_AUDIT_TILES"].as_str().unwrap().to_owned();
    eventually("there is a checkpoint", PATIENCE, || async {
        std::fs::exists(format!("{tiles}/checkpoint")).unwrap()
    })
    .await;

    let mut verify = Command::new(caseledger());
    verify.args(["--json", "audit", "verify"]);
    for (name, value) in told["env"].as_object().unwrap() {
        verify.env(name, value.as_str().unwrap());
    }
    let answer = super::run(verify).await;
    answer.assert_verified();
    assert_eq!(answer.json["checkpoints"][0]["from"], "the tiles");
    let ended = dev.stop(Duration::from_secs(30)).await;
    assert!(ended.success(), "caseledger dev ended with {ended}:\n{}", dev.output());
}
