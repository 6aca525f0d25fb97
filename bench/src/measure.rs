//! Measuring contenders: set up, then each number of clients, several times, and by turns: what the machine does meanwhile is to
//! fall on all of them alike.

use std::sync::Arc;
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
    /// Each run, in the order of the rounds.
    pub runs: Vec<Measured>,
}

impl Runs {
    /// The run in the middle.
    #[must_use]
    pub fn median(&self) -> &Measured {
        let by_rate = self.by_rate();
        by_rate[by_rate.len() / 2]
    }

    /// The slowest and the fastest, in commands a second.
    #[must_use]
    pub fn extremes(&self) -> (f64, f64) {
        let by_rate = self.by_rate();
        let rate = |run: Option<&&Measured>| run.map_or(0.0, |run| run.rate());
        (rate(by_rate.first()), rate(by_rate.last()))
    }

    fn by_rate(&self) -> Vec<&Measured> {
        let mut runs: Vec<&Measured> = self.runs.iter().collect();
        runs.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
        runs
    }

    /// Something of these runs compared with that of another's: the ratio in the middle, of those of each round. Two runs of one round
    /// are minutes apart at most, so that a machine that is slower for a while is so for both.
    #[must_use]
    pub fn ratio_to(&self, other: &Self, of: fn(&Measured) -> f64) -> Option<f64> {
        let rounds = self.runs.iter().zip(&other.runs);
        let mut ratios: Vec<f64> = rounds.map(|(one, other)| of(one) / of(other)).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied()
    }
}

/// A contender that is set up.
struct SetUp {
    contender: Contender,
    postgres: Arc<TestPostgres>,
    ready: Box<dyn Ready>,
}

impl SetUp {
    async fn run(&mut self, clients: usize, plan: &Plan) -> Result<Runs, String> {
        let load = Load {
            clients,
            cases: self.contender.cases(plan.cases),
            warm_up: plan.warm_up,
            time: plan.time,
        };
        let contender = self.contender.name().to_owned();
        match run(&mut *self.ready, load).await {
            Ok(run) => Ok(Runs {
                contender,
                clients,
                runs: vec![run],
            }),
            Err(reason) => Err(format!("{contender}: {reason}")),
        }
    }
}

/// Measures contenders by turns: each has its run before any has its next. They are all set up meanwhile, each on a PostgreSQL of its
/// own, so that nobody inherits another's dirty pages; what the idle ones use of the CPU is little, and counted with the others'. Who is
/// not fit for this PostgreSQL is left out, which is printed.
///
/// # Errors
/// A sentence on what failed.
pub async fn by_turns(contenders: &[Contender], plan: &Plan) -> Result<Vec<Runs>, String> {
    let mut set_up = Vec::new();
    for contender in contenders {
        set_up.extend(self::set_up(*contender, plan.cases).await?);
    }
    let mut measured = Vec::new();
    for clients in &plan.clients {
        for _ in 0..plan.runs.max(1) {
            for one in &mut set_up {
                add(&mut measured, one.run(*clients, plan).await?);
            }
        }
    }
    for one in set_up {
        one.ready.close().await;
        one.postgres.stop().await;
    }
    Ok(measured)
}

async fn set_up(contender: Contender, cases: usize) -> Result<Option<SetUp>, String> {
    let failed = |reason: String| format!("{}: {reason}", contender.name());
    let postgres = TestPostgres::durable().await;
    if let Some(reason) = contender.unfit_for(&postgres).await.map_err(failed)? {
        println!("{} is not measured: {reason}", contender.name());
        postgres.stop().await;
        return Ok(None);
    }
    let ready = contender.set_up(&postgres, cases).await.map_err(failed)?;
    Ok(Some(SetUp {
        contender,
        postgres,
        ready,
    }))
}

/// Adds runs to those of the same contender with as many clients.
pub fn add(measured: &mut Vec<Runs>, more: Runs) {
    let same = |runs: &&mut Runs| runs.contender == more.contender && runs.clients == more.clients;
    match measured.iter_mut().find(same) {
        Some(runs) => runs.runs.extend(more.runs),
        None => measured.push(more),
    }
}

/// So many runs of one load.
///
/// # Errors
/// A sentence on what failed.
pub async fn repeated(ready: &mut dyn Ready, load: Load, runs: usize) -> Result<Vec<Measured>, String> {
    let mut measured = Vec::new();
    for _ in 0..runs.max(1) {
        measured.push(run(ready, load).await?);
    }
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
