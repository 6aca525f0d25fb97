//! Runs seeds for a while, and says what does not hold.
//!
//! `cargo run --release -p simulation -- --seconds 3600` runs seeds from 0 on, on as many threads as there are; exit status 1 where a run
//! failed. `--seed N` runs that one alone; with `--trace` each of its steps is printed.

// A program that talks to whoever started it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use simulation::{Fault, Outcome, Registry, Weather, run};

/// How often it is said how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// The most failures that are told in full.
const TOLD_IN_FULL: usize = 20;

/// Runs the simulation.
#[derive(Debug, Parser)]
struct Settings {
    /// For how many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The seed to begin with.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// One seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints each step of that one.
    #[arg(long)]
    trace: bool,
    /// On how many threads.
    #[arg(long, default_value_t = 1)]
    threads: u64,
}

/// What the runs came to together.
#[derive(Debug, Default)]
struct Total {
    runs: u64,
    steps: u64,
    commands: u64,
    events: u64,
    simulated: Duration,
    faults: BTreeMap<Fault, u64>,
    failed: Vec<u64>,
}

impl Total {
    fn add(&mut self, outcome: &Outcome) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.runs += 1;
        self.steps += outcome.figures.steps;
        self.commands += count(outcome.commands);
        self.events += count(outcome.events);
        self.simulated += outcome.figures.simulated;
        for (fault, struck) in &outcome.figures.faults {
            *self.faults.entry(*fault).or_insert(0) += struck;
        }
        if !outcome.broken.is_empty() {
            self.failed.push(outcome.seed);
            if self.failed.len() <= TOLD_IN_FULL {
                tell(outcome);
            }
        }
    }

    fn tell(&self, took: Duration) {
        let per_minute = |number: u64| number * 60_000 / u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        println!(
            "{} runs in {} s ({} a minute), {} steps, {} commands, {} events, {} faults, {} hours simulated, {} failed",
            self.runs,
            took.as_secs(),
            per_minute(self.runs),
            self.steps,
            self.commands,
            self.events,
            self.faults.values().sum::<u64>(),
            self.simulated.as_secs() / 3600,
            self.failed.len(),
        );
    }
}

fn tell(outcome: &Outcome) {
    println!("seed {} FAILED", outcome.seed);
    for broken in &outcome.broken {
        println!("  {broken}");
    }
}

fn main() -> ExitCode {
    let settings = Settings::parse();
    let registry = match Registry::new() {
        Ok(registry) => registry,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(3);
        }
    };
    match settings.seed {
        Some(seed) => run_one(&registry, seed, settings.trace),
        None => run_many(&registry, &settings),
    }
}

fn run_one(registry: &Registry, seed: u64, trace: bool) -> ExitCode {
    match run(registry, seed, Weather::Drawn, trace) {
        Ok(outcome) => {
            outcome.lines.iter().for_each(|line| println!("{line}"));
            let faults = &outcome.figures.faults;
            println!(
                "seed {seed}: {} steps, {} commands, {} events, {} s simulated, trace {:016x}, faults {faults:?}",
                outcome.figures.steps,
                outcome.commands,
                outcome.events,
                outcome.figures.simulated.as_secs(),
                outcome.figures.trace,
            );
            if outcome.broken.is_empty() {
                return ExitCode::SUCCESS;
            }
            tell(&outcome);
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}

fn run_many(registry: &Registry, settings: &Settings) -> ExitCode {
    let began = Instant::now();
    let until = began + Duration::from_secs(settings.seconds);
    let next = AtomicU64::new(settings.from);
    let total = Mutex::new((Total::default(), began));
    let work = || {
        while Instant::now() < until {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let outcome = match run(registry, seed, Weather::Drawn, false) {
                Ok(outcome) => outcome,
                Err(error) => {
                    eprintln!("{error}");
                    return;
                }
            };
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            total.0.add(&outcome);
            if total.1.elapsed() >= TOLD_EVERY {
                total.1 = Instant::now();
                total.0.tell(began.elapsed());
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..settings.threads.max(1) {
            scope.spawn(work);
        }
    });
    let (total, _) = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    total.tell(began.elapsed());
    for (fault, struck) in &total.faults {
        println!("  {fault:?}: {struck}");
    }
    if total.failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed seeds: {:?}", total.failed);
    ExitCode::from(1)
}
