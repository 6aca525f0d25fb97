//! Caseledger beside what a team would otherwise pick, measured in one run on one machine.
//!
//! Everybody does the same [`work`] on the same PostgreSQL, which flushes what it commits. What is printed are medians of the
//! runs, with the least and the most; the ratios come last, since they are what carries over to another machine.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod contenders;
mod cpu;
mod load;
mod measure;
mod plot;
mod replay;
mod report;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use contenders::{Contender, Pool};
use measure::Plan;
use report::Report;

#[derive(Parser)]
#[command(name = "bench", about = "Measures Caseledger beside its peers")]
struct Cli {
    #[command(subcommand)]
    call: Call,
}

#[derive(Subcommand)]
enum Call {
    /// Name the cases.
    List,
    /// Measure cases, or all of them.
    Run(Run),
    /// Measure the one that counts, everything running against stock at 64 clients; the last line is `ratio: N`.
    Quick,
    /// Print and draw again what was measured before.
    Show {
        /// What `run --json` wrote.
        json: PathBuf,
        /// Where to draw.
        #[arg(long)]
        plot: Option<PathBuf>,
    },
    /// Run each case for a moment, to see that it works. Nothing is measured.
    Smoke,
}

#[derive(Args)]
struct Run {
    /// The cases; all where none is named.
    cases: Vec<String>,
    /// Numbers of clients.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64,256")]
    clients: Vec<usize>,
    /// Seconds that are counted, of each run.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Runs of each case and number of clients; medians are of these.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Events that are replayed.
    #[arg(long, default_value_t = 1_000_000)]
    replay: usize,
    /// Where to write everything that was measured, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where to draw throughput against clients, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,
}

/// How long each run of the quick measure takes.
const QUICK: Duration = Duration::from_secs(4);

/// How long each case of the smoke test runs.
const SMOKE: Duration = Duration::from_secs(1);

/// As in the services; the peers have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().call {
        Call::List => {
            for name in Contender::ALL.map(Contender::name).into_iter().chain([replay::NAME]) {
                println!("{name}");
            }
            Ok(())
        }
        Call::Run(run) => measure_all(run).await,
        Call::Quick => quick().await,
        Call::Show { json, plot } => show(&json, plot.as_deref()),
        Call::Smoke => smoke().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

async fn measure_all(run: Run) -> Result<(), String> {
    let mut chosen = Vec::new();
    for name in &run.cases {
        let known = Contender::ALL.into_iter().find(|contender| contender.name() == name);
        match known {
            Some(contender) => chosen.push(contender),
            None if name == replay::NAME => {}
            None => return Err(format!("there is no case {name}: `bench list` names them")),
        }
    }
    if run.cases.is_empty() {
        chosen = Contender::ALL.into();
    }
    let plan = Plan {
        clients: run.clients,
        time: Duration::from_secs(run.seconds),
        warm_up: Duration::from_secs(1),
        runs: run.runs,
        cases: work::CASES,
    };
    let mut report = Report::default();
    for contender in chosen {
        report.add(measure::contender(contender, &plan).await?);
    }
    if run.cases.is_empty() || run.cases.iter().any(|name| name == replay::NAME) {
        report.replays = replay::measure(run.replay, run.runs).await?;
    }
    println!("{report}");
    if let Some(path) = run.json {
        let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
        std::fs::write(&path, json).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if let Some(path) = run.plot {
        plot::throughput(&report, &path)?;
    }
    Ok(())
}

fn show(json: &Path, plot: Option<&Path>) -> Result<(), String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", json.display());
    let text = std::fs::read_to_string(json).map_err(|error| unreadable(&error))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    println!("{report}");
    plot.map_or(Ok(()), |path| plot::throughput(&report, path))
}

async fn quick() -> Result<(), String> {
    let plan = Plan {
        clients: vec![64],
        time: QUICK,
        warm_up: Duration::from_secs(1),
        runs: 1,
        cases: work::CASES,
    };
    let mut report = Report::default();
    for contender in [Contender::Stock(Pool::Usual), Contender::Running] {
        report.add(measure::contender(contender, &plan).await?);
    }
    println!("{report}");
    let ratio = report
        .ratio(Contender::Running, 64)
        .ok_or("one of the two was not measured")?;
    println!("ratio: {ratio:.2}");
    Ok(())
}

async fn smoke() -> Result<(), String> {
    let plan = Plan {
        clients: vec![4],
        time: SMOKE,
        warm_up: Duration::ZERO,
        runs: 1,
        cases: 50,
    };
    let mut report = Report::default();
    for contender in Contender::ALL {
        println!("{}", contender.name());
        report.add(measure::contender(contender, &plan).await?);
    }
    report.replays = replay::measure(2_000, 1).await?;
    // Drawn, and thrown away.
    let drawn = std::env::temp_dir().join(format!("bench-smoke-{}.svg", std::process::id()));
    plot::throughput(&report, &drawn)?;
    let _ = std::fs::remove_file(drawn);
    println!("every case works; a debug build or a second says nothing about speed");
    Ok(())
}
