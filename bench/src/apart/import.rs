//! `caseledger import`, with every service running as a process of its own.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use system_tests::council::repository;
use system_tests::{Council, TestPostgres};

use crate::figures::Figure;

/// What `import --json` prints, as far as it matters here.
#[derive(Deserialize)]
struct Summary {
    rows: usize,
    taken: usize,
    adjusted: usize,
    refused: usize,
}

/// Measures how many rows a second are imported: each a submission and an ending. Each run has rows with ids of their own.
///
/// # Errors
/// A sentence on what failed.
pub async fn measure(postgres: &Arc<TestPostgres>, rows: usize, runs: usize) -> Result<Vec<Figure>, String> {
    let council = Council::on(postgres.database().await).await;
    let services = council.serve_all().await;
    let mapping = repository().join("docs/import/myla311.toml").display().to_string();
    let mut rates = Vec::new();
    for run in 0..runs {
        let file = council.path("many.csv");
        std::fs::write(&file, many_rows(rows, run)?).map_err(|error| format!("{}: {error}", file.display()))?;
        let (file, report) = (file.display().to_string(), council.path("report.csv"));
        let report = report.display().to_string();
        let began = Instant::now();
        let import = ["--json", "import", &file, "--mapping", &mapping, "--report", &report];
        let output = council.run(&import, "").await;
        let seconds = began.elapsed().as_secs_f64();
        let unread = |error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr));
        let summary: Summary = serde_json::from_slice(&output.stdout).map_err(unread)?;
        if summary.taken + summary.adjusted != rows {
            let (rows, refused) = (summary.rows, summary.refused);
            return Err(format!("of {rows} rows {refused} were refused: {}", output.status));
        }
        rates.push(rows as f64 / seconds);
    }
    drop(services);
    Ok(vec![Figure::new("import", format!("{rows} rows"), "rows/s", rates)])
}

/// The excerpt's rows again and again, each under an id of its own.
fn many_rows(rows: usize, run: usize) -> Result<String, String> {
    let file = repository().join("tests/fixtures/myla311-excerpt.csv");
    let excerpt = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let (headings, excerpt) = excerpt.split_once('\n').ok_or("the excerpt is empty")?;
    let mut many = format!("{headings}\n");
    for (number, row) in excerpt.lines().cycle().take(rows).enumerate() {
        writeln!(many, "{run}/{number}/{row}").map_err(|error| error.to_string())?;
    }
    Ok(many)
}
