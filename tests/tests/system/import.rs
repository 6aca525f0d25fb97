//! An import of real requests: each arrives once, with its own times, however often it is broken off.

use std::path::PathBuf;

use serde_json::Value;
use system_tests::council::{PATIENCE, repository};
use system_tests::{Council, eventually};

fn paths() -> [String; 2] {
    let path = |name: &str| PathBuf::from(repository()).join(name).display().to_string();
    [
        path("tests/fixtures/myla311-excerpt.csv"),
        path("docs/import/myla311.toml"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_row_arrives_once_with_its_times_and_sends_no_notice() {
    let council = Council::new().await;
    let _services = council.serve_all().await;
    let [file, mapping] = paths();
    let import = [
        "--json",
        "import",
        file.as_str(),
        "--mapping",
        mapping.as_str(),
        "--report",
        "report.csv",
    ];
    let summary = |output: std::process::Output| -> Value {
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {printed}"))
    };
    let first = summary(council.run(&import, "").await);
    assert_eq!(
        (
            first["rows"].as_u64(),
            first["refused"].as_u64(),
            first["adjusted"].as_u64()
        ),
        (Some(40), Some(0), Some(2)),
        "{first}"
    );

    let owner = council.owner().await;
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger.events")
        .fetch_one(&owner)
        .await
        .unwrap();
    assert_eq!(events, 80, "a submission and an ending for each row");
    // Again, without knowing what was done: nothing happens twice.
    let second = summary(council.run(&import, "").await);
    assert_eq!(second["refused"], 0);
    let mut resumed = import.to_vec();
    resumed.push("--resume");
    assert_eq!(summary(council.run(&resumed, "").await)["skipped"], 40);
    let again: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger.events")
        .fetch_one(&owner)
        .await
        .unwrap();
    assert_eq!(again, events);

    let early: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM ledger.events WHERE occurred_at < '2018-12-31' AND recorded_at > '2026-01-01'",
    )
    .fetch_one(&owner)
    .await
    .unwrap();
    assert_eq!(early, events, "they happened then and were recorded now");
    eventually("the report counts every row", PATIENCE, || async {
        let counts = projections::reporting::counts(&owner, None, None).await.unwrap();
        counts.requests.iter().map(|count| count.requests).sum::<i64>() == 40
    })
    .await;
    assert_eq!(
        std::fs::read_dir(council.mail_dir()).unwrap().count(),
        0,
        "nothing that happened before the cut-over sends a notice"
    );
}
