//! An import of real requests: each arrives once, with its own times, however often it is broken off.

use std::path::PathBuf;

use serde_json::Value;
use system_tests::council::{PATIENCE, repository};
use system_tests::{Council, Process, eventually};

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

/// The fixture again and again, each row under an id of its own.
fn many_rows(copies: usize) -> String {
    let [file, _] = paths();
    let excerpt = std::fs::read_to_string(file).unwrap();
    let (headings, rows) = excerpt.split_once('\n').unwrap();
    let mut many = format!("{headings}\n");
    for copy in 0..copies {
        for row in rows.lines() {
            many.push_str(&format!("{copy}/{row}\n"));
        }
    }
    many
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_in_the_middle_is_resumed_with_nothing_twice() {
    const ROWS: usize = 800;
    let council = Council::new().await;
    let _service = council.serve("command-service");
    council.answering().await;
    let [_, mapping] = paths();
    let (file, report) = (council.path("many.csv"), council.path("report.csv"));
    std::fs::write(&file, many_rows(ROWS / 40)).unwrap();
    let arguments = |resume: bool| {
        let mut arguments = vec!["--json".to_owned(), "import".to_owned(), file.display().to_string()];
        arguments.extend(["--mapping".to_owned(), mapping.clone()]);
        arguments.extend(["--report".to_owned(), report.display().to_string()]);
        arguments.extend(resume.then(|| "--resume".to_owned()));
        arguments
    };
    let reported = || std::fs::read_to_string(&report).map_or(0, |text| text.lines().count().saturating_sub(1));

    let mut first = Process::start(council.command().args(arguments(false)));
    eventually("some rows are reported", PATIENCE, || async { reported() >= 50 }).await;
    first.kill();
    let before = reported();
    assert!(before < ROWS, "it was killed in the middle, not after all {before}");

    let resume = arguments(true);
    let resume: Vec<&str> = resume.iter().map(String::as_str).collect();
    let output = council.run(&resume, "").await;
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let count = |name: &str| usize::try_from(summary[name].as_u64().unwrap()).unwrap();
    assert_eq!(count("refused"), 0, "{summary}");
    assert!(count("skipped") >= 50, "{summary}");
    assert_eq!(count("skipped") + count("taken") + count("adjusted"), ROWS, "{summary}");

    let (events, cases, commands): (i64, i64, i64) =
        sqlx::query_as("SELECT count(*), count(DISTINCT aggregate_id), count(DISTINCT command_id) FROM ledger.events")
            .fetch_one(&council.owner().await)
            .await
            .unwrap();
    let rows = i64::try_from(ROWS).unwrap();
    assert_eq!((events, cases, commands), (2 * rows, rows, 2 * rows));
}
