//! Caseledger beside what a team would otherwise pick, measured in one run on one machine.
//!
//! Everybody does the same [`work`] on the same PostgreSQL, which flushes what it commits. What is printed are medians of the
//! runs, with the least and the most; the ratios come last, since they are what carries over to another machine.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod apart;
mod contenders;
mod cpu;
mod endurance;
mod figures;
mod growth;
mod load;
mod measure;
mod plot;
mod report;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use apart::{Apart, Pace};
use contenders::{Contender, Pool};
use measure::Plan;
use report::Report;
use system_tests::TestPostgres;

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
    /// Measure how commands fare while the log, each case and the number of command-services grow.
    Growth(growth::Sizes),
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
    /// Offer half the peak for half an hour with every service running, then a burst, then slow consumers, and say whether it held:
    /// ends with 0 where every verdict is yes, 1 where one is no, 2 where it could not be run to its end.
    #[command(alias = "load")]
    Endurance(endurance::Plan),
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
    #[arg(long, default_value_t = 1.2)]
    seconds: f64,
    /// Rounds: in each, every case has a run with each number of clients; medians are of these.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Set everybody up once and let them take turns, run by run, instead of setting each up anew in each round.
    #[arg(long)]
    by_turns: bool,
    /// Cases that there are.
    #[arg(long, default_value_t = work::CASES)]
    cases_of_each: usize,
    #[command(flatten)]
    sizes: apart::Sizes,
    /// Where to write everything that was measured, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where to draw throughput against clients, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,
}

/// How long clients send before anything is counted.
const WARM_UP: Duration = Duration::from_millis(300);

/// How long each run of the quick measure takes.
const QUICK: Duration = Duration::from_secs(4);

/// The clients of a load that a measure apart needs.
const LOAD_CLIENTS: usize = 64;

/// How long each case of the smoke test runs.
const SMOKE: Duration = Duration::from_secs(1);

/// As in the services; the peers have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().call {
        Call::List => {
            let names = Contender::ALL.map(Contender::name).into_iter();
            for name in names.chain(Apart::ALL.map(Apart::name)).chain([growth::NAME]) {
                println!("{name}");
            }
            Ok(())
        }
        Call::Run(run) => measure_all(run).await,
        Call::Growth(sizes) => grow(&sizes).await,
        Call::Quick => quick().await,
        Call::Show { json, plot } => show(&json, plot.as_deref()),
        Call::Endurance(plan) => return endure(&plan).await,
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

/// What was asked for by name.
struct Chosen {
    contenders: Vec<Contender>,
    apart: Vec<Apart>,
}

impl Chosen {
    fn of(names: &[String]) -> Result<Self, String> {
        let mut chosen = Self {
            contenders: Vec::new(),
            apart: Vec::new(),
        };
        if names.is_empty() {
            chosen.contenders = Contender::ALL.into_iter().filter(|one| !one.only_by_name()).collect();
            chosen.apart = Apart::ALL.into();
        }
        for name in names {
            let contender = Contender::ALL.into_iter().find(|contender| contender.name() == name);
            let apart = Apart::ALL.into_iter().find(|apart| apart.name() == name);
            if contender.is_none() && apart.is_none() {
                return Err(format!(
                    "there is no case {name} to run: `bench list` names them, and growth has a call of its own"
                ));
            }
            chosen.contenders.extend(contender);
            chosen.apart.extend(apart);
        }
        Ok(chosen)
    }
}

fn names(contenders: &[Contender]) -> String {
    let names: Vec<&str> = contenders.iter().map(|contender| contender.name()).collect();
    names.join(", ")
}

async fn measure_all(run: Run) -> Result<(), String> {
    let chosen = Chosen::of(&run.cases)?;
    let pace = Pace {
        runs: run.runs.max(1),
        time: Duration::try_from_secs_f64(run.seconds).map_err(|error| format!("--seconds: {error}"))?,
        cases: run.cases_of_each,
        clients: LOAD_CLIENTS,
    };
    let mut report = Report::default();
    let once = Plan {
        clients: run.clients,
        time: pace.time,
        warm_up: WARM_UP,
        runs: 1,
        cases: pace.cases,
    };
    if run.by_turns {
        let runs = pace.runs;
        report.add(measure::by_turns(&chosen.contenders, &Plan { runs, ..once }).await?);
    } else {
        measure_rounds(&chosen.contenders, pace.runs, &once, &mut report).await?;
    }
    for apart in chosen.apart {
        eprintln!("{}", apart.name());
        let postgres = TestPostgres::durable().await;
        apart.measure(&postgres, &run.sizes, pace, &mut report).await?;
        postgres.stop().await;
    }
    println!("{report}");
    write(&report, run.json.as_deref())?;
    run.plot.map_or(Ok(()), |path| plot::throughput(&report, &path))
}

/// In each round everybody is set up anew, alone: nothing of the others is running, and their logs are no longer than another's.
async fn measure_rounds(
    contenders: &[Contender],
    rounds: usize,
    once: &Plan,
    report: &mut Report,
) -> Result<(), String> {
    for round in 1..=rounds {
        for alike in contenders.chunk_by(|one, next| one.is_set_up_as(*next)) {
            eprintln!("round {round} of {rounds}: {}", names(alike));
            report.add(measure::by_turns(alike, once).await?);
        }
    }
    Ok(())
}

async fn grow(sizes: &growth::Sizes) -> Result<(), String> {
    let report = Report {
        growth: growth::measure(sizes).await?,
        ..Report::default()
    };
    println!("{report}");
    write(&report, sizes.json.as_deref())?;
    sizes.plot.as_deref().map_or(Ok(()), |path| plot::growth(&report, path))
}

async fn endure(plan: &endurance::Plan) -> ExitCode {
    let told = match endurance::run(plan).await {
        Ok(told) => told,
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::from(2);
        }
    };
    println!("{told}");
    let drawn = plan.plot.as_deref().map_or(Ok(()), |path| endurance::draw(&told, path));
    match drawn {
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
        Ok(()) if told.held() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
    }
}

fn write(report: &Report, path: Option<&Path>) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    let json = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
    std::fs::write(path, json).map_err(|error| format!("{}: {error}", path.display()))
}

fn show(json: &Path, plot: Option<&Path>) -> Result<(), String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", json.display());
    let text = std::fs::read_to_string(json).map_err(|error| unreadable(&error))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    println!("{report}");
    plot.map_or(Ok(()), |path| {
        if report.measured.is_empty() {
            plot::growth(&report, path)
        } else {
            plot::throughput(&report, path)
        }
    })
}

async fn quick() -> Result<(), String> {
    let plan = Plan {
        clients: vec![64],
        time: QUICK,
        warm_up: WARM_UP,
        runs: 3,
        cases: work::CASES,
    };
    let mut report = Report::default();
    report.add(measure::by_turns(&[Contender::Stock(Pool::Usual), Contender::Running], &plan).await?);
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
    for alike in Contender::ALL.chunk_by(|one, next| one.is_set_up_as(*next)) {
        println!("{}", names(alike));
        report.add(measure::by_turns(alike, &plan).await?);
    }
    let pace = Pace {
        runs: 1,
        time: SMOKE,
        cases: plan.cases,
        clients: 4,
    };
    // Side by side: most of it is waiting for servers to start.
    let sizes = growth::Sizes::tiny();
    let growing = growth::logs_and_cases(&sizes);
    let (grown, ()) = tokio::try_join!(growing, smoke_apart(pace, &mut report))?;
    report.growth = grown;
    // Written and drawn, and thrown away.
    let _ = report.to_string();
    for draw in [plot::throughput, plot::growth] {
        let drawn = std::env::temp_dir().join(format!("bench-smoke-{}.svg", std::process::id()));
        draw(&report, &drawn)?;
        let _ = std::fs::remove_file(drawn);
    }
    println!("endurance");
    let told = endurance::run(&endurance::Plan::tiny()).await?;
    let drawn = std::env::temp_dir().join(format!("bench-smoke-endurance-{}.svg", std::process::id()));
    endurance::draw(&told, &drawn)?;
    let _ = (told.to_string(), std::fs::remove_file(drawn));
    println!("every case works; a debug build or a second says nothing about speed");
    Ok(())
}

async fn smoke_apart(pace: Pace, report: &mut Report) -> Result<(), String> {
    // One server for all of them.
    let postgres = TestPostgres::durable().await;
    for apart in Apart::ALL {
        println!("{}", apart.name());
        apart.measure(&postgres, &apart::Sizes::TINY, pace, report).await?;
    }
    postgres.stop().await;
    Ok(())
}
