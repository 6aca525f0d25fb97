//! On a slower disk: `bench/slow_fdatasync.c` is compiled and preloaded into PostgreSQL, and this program runs itself with a
//! `postgres` first on its PATH that does so. Nothing but the benchmark's own PostgreSQL is slowed down.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use system_tests::{PreloadedPostgres, TestPostgres};
use tokio::process::Command;

use super::Pace;
use crate::contenders::{Contender, Pool};
use crate::measure::Runs;
use crate::report::Report;

/// Who is measured where it is no smoke test.
pub const CONTENDERS: [Contender; 3] = [
    Contender::Stock(Pool::Usual),
    Contender::Stock(Pool::Large),
    Contender::Service,
];

/// Measures them with an `fdatasync` that takes so much longer.
///
/// # Errors
/// A sentence on what failed; also where PostgreSQL was not slowed down.
pub async fn measure(
    postgres: &Arc<TestPostgres>,
    milliseconds: u32,
    contenders: &[Contender],
    pace: Pace,
) -> Result<Vec<Runs>, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("slow_fdatasync.c");
    let variable = ("SLOW_FDATASYNC_MS", milliseconds.to_string());
    let slowed = PreloadedPostgres::new(postgres, &source, (variable.0, &variable.1)).await;
    let slowed = slowed.map_err(|error| failed(&source, &error))?;
    let slow = run_ourselves(&slowed, contenders, pace).await?.measured;
    for runs in &slow {
        let p50 = runs.median().p50;
        if p50 < f64::from(milliseconds) {
            let name = &runs.contender;
            return Err(format!(
                "PostgreSQL was not slowed down: half of the commands of {name} took less than {p50} ms"
            ));
        }
    }
    Ok(slow)
}

/// Runs this program on the contenders, with the slowed PostgreSQL first on its PATH.
async fn run_ourselves(slowed: &PreloadedPostgres, contenders: &[Contender], pace: Pace) -> Result<Report, String> {
    let ours = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = slowed.path().map_err(|error| error.to_string())?;
    let json = slowed.folder().join("slow.json");
    let mut run = Command::new(ours);
    run.args(["run", "--by-turns"])
        .args(contenders.iter().map(|one| one.name()));
    for (flag, number) in [
        ("--clients", pace.clients.to_string()),
        ("--seconds", pace.time.as_secs_f64().to_string()),
        ("--runs", pace.runs.to_string()),
        ("--cases-of-each", pace.cases.to_string()),
    ] {
        run.args([flag, &number]);
    }
    run.arg("--json").arg(&json).env("PATH", path).kill_on_drop(true);
    output_of(&mut run).await?;
    let text = std::fs::read_to_string(&json).map_err(|error| failed(&json, &error))?;
    serde_json::from_str(&text).map_err(|error| failed(&json, &error))
}

async fn output_of(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
