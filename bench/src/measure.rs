//! Measuring one contender: set up once, then each number of clients, several times.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use system_tests::TestPostgres;

use crate::contenders::{Contender, Ready};
use crate::cpu::Cpu;
use crate::load::{self, Load, Measured};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Numbers of clients.
    pub clients: Vec<usize>,
    /// How long is counted, of each run.
    pub time: Duration,
    /// How long clients send before that.
    pub warm_up: Duration,
    /// Runs; medians are of these.
    pub runs: usize,
    /// The cases that a contender has.
    pub cases: usize,
}

/// The runs of one contender with one number of clients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Runs {
    /// The contender's name.
    pub contender: String,
    /// The clients.
    pub clients: usize,
    /// Each run, the slowest first.
    pub runs: Vec<Measured>,
}

impl Runs {
    /// The run in the middle.
    #[must_use]
    pub fn median(&self) -> &Measured {
        &self.runs[self.runs.len() / 2]
    }

    /// The slowest and the fastest, in commands a second.
    #[must_use]
    pub fn extremes(&self) -> (f64, f64) {
        let rate = |run: Option<&Measured>| run.map_or(0.0, Measured::rate);
        (rate(self.runs.first()), rate(self.runs.last()))
    }
}

/// Measures a contender. It has a PostgreSQL of its own, so that nobody inherits another's dirty pages.
///
/// # Errors
/// A sentence on what failed.
pub async fn contender(contender: Contender, plan: &Plan) -> Result<Vec<Runs>, String> {
    let failed = |reason: String| format!("{}: {reason}", contender.name());
    let postgres = TestPostgres::durable().await;
    if let Some(reason) = contender.unfit_for(&postgres).await.map_err(failed)? {
        println!("{} is not measured: {reason}", contender.name());
        postgres.stop().await;
        return Ok(Vec::new());
    }
    let mut ready = contender.set_up(&postgres, plan.cases).await.map_err(failed)?;
    let mut measured = Vec::new();
    for clients in &plan.clients {
        let load = Load {
            clients: *clients,
            cases: contender.cases(plan.cases),
            warm_up: plan.warm_up,
            time: plan.time,
        };
        let runs = repeated(&mut *ready, load, plan.runs).await.map_err(failed)?;
        measured.push(Runs {
            contender: contender.name().to_owned(),
            clients: *clients,
            runs,
        });
    }
    ready.close().await;
    postgres.stop().await;
    Ok(measured)
}

/// So many runs of one load, the slowest first.
///
/// # Errors
/// A sentence on what failed.
pub async fn repeated(ready: &mut dyn Ready, load: Load, runs: usize) -> Result<Vec<Measured>, String> {
    let mut measured = Vec::new();
    for _ in 0..runs.max(1) {
        measured.push(run(ready, load).await?);
    }
    measured.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
    Ok(measured)
}

/// One run. Where something follows the log, the time until it has caught up counts too, and the warm-up with it: nothing is
/// left out in which somebody worked.
async fn run(ready: &mut dyn Ready, load: Load) -> Result<Measured, String> {
    if let Some(measured) = ready.measure(load).await {
        return measured;
    }
    if !ready.has_followers() {
        return load::run(load, &ready.command()).await;
    }
    let load = Load {
        warm_up: Duration::ZERO,
        ..load
    };
    let (began, before) = (Instant::now(), Cpu::now());
    let measured = load::run(load, &ready.command()).await?;
    ready.caught_up().await?;
    Ok(measured.until(began.elapsed().as_secs_f64(), Cpu::now().since(&before)))
}
