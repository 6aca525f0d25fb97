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

/// What is set up for contenders that differ in nothing else than the cases that are wanted.
struct SetUp {
    contenders: Vec<Contender>,
    postgres: Arc<TestPostgres>,
    ready: Box<dyn Ready>,
}

impl SetUp {
    async fn run(&mut self, contender: Contender, clients: usize, plan: &Plan) -> Result<Runs, String> {
        let load = Load {
            clients,
            cases: contender.cases(plan.cases),
            warm_up: plan.warm_up,
            time: plan.time,
        };
        let contender = contender.name().to_owned();
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
/// own, so that nobody inherits another's dirty pages; only neighbours that are set up alike share that. What the idle ones use of the
/// CPU is little, and counted with the others'.
///
/// # Errors
/// A sentence on what failed.
pub async fn by_turns(contenders: &[Contender], plan: &Plan) -> Result<Vec<Runs>, String> {
    let mut set_up = Vec::new();
    for alike in contenders.chunk_by(|one, next| one.is_set_up_as(*next)) {
        set_up.push(self::set_up(alike, plan.cases).await?);
    }
    let mut measured = Vec::new();
    for clients in &plan.clients {
        for _ in 0..plan.runs.max(1) {
            for one in &mut set_up {
                for contender in one.contenders.clone() {
                    add(&mut measured, one.run(contender, *clients, plan).await?);
                }
            }
        }
    }
    for one in set_up {
        one.ready.close().await;
        one.postgres.stop().await;
    }
    Ok(measured)
}

async fn set_up(alike: &[Contender], cases: usize) -> Result<SetUp, String> {
    let postgres = TestPostgres::durable().await;
    let ready = alike[0].set_up(&postgres, cases).await;
    let ready = ready.map_err(|reason| format!("{}: {reason}", alike[0].name()))?;
    Ok(SetUp {
        contenders: alike.to_vec(),
        postgres,
        ready,
    })
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

/// One run. Where something follows the log, the time until it has caught up counts too, and clients send for as long as
/// others' do, all of it counted: nothing is left out in which somebody worked.
async fn run(ready: &mut dyn Ready, load: Load) -> Result<Measured, String> {
    if let Some(measured) = ready.measure(load).await {
        return measured;
    }
    if !ready.has_followers() {
        return load::run(load, &ready.command()).await;
    }
    let load = Load {
        warm_up: Duration::ZERO,
        time: load.warm_up + load.time,
        ..load
    };
    let (began, before) = (Instant::now(), Cpu::now());
    let measured = load::run(load, &ready.command()).await?;
    ready.caught_up().await?;
    Ok(measured.until(began.elapsed().as_secs_f64(), Cpu::now().since(&before)))
}
