//! Growth: the same commands while the log grows, while each case grows, and with a second command-service on the database.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use system_tests::TestPostgres;

use crate::contenders::ours::{accepted, submission, update};
use crate::contenders::stock::Stock;
use crate::contenders::{Contender, Ids, Ours, Pool, Ready};
use crate::load::Load;
use crate::measure::{self, Plan, Runs};

/// The name that chooses it.
pub const NAME: &str = "growth";

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growing {
    /// The log: events of other cases; command ids are random.
    Log,
    /// The log, of commands whose ids are in the order of time.
    LogIdsInOrder,
    /// Each case.
    Cases,
    /// The command-services on the database.
    Services,
}

/// The runs of one contender at one size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grown {
    /// What grows.
    pub what: Growing,
    /// Events in the log, events of each case, or command-services, when the measure began.
    pub size: usize,
    /// What was measured.
    pub runs: Runs,
}

impl Grown {
    /// Commands a second of the run in the middle.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.runs.median().rate()
    }
}

/// How far everything grows, and how it is measured.
#[derive(Args, Clone, Debug)]
pub struct Sizes {
    /// Events in the log.
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000")]
    pub events: Vec<usize>,
    /// Leave out the largest log: 10,000,000 events, which take minutes to fill and some 25 GB.
    #[arg(long)]
    pub small: bool,
    /// Events of each case.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    pub streams: Vec<usize>,
    /// Cases whose streams grow.
    #[arg(long, default_value_t = 2_000)]
    pub long_cases: usize,
    /// Cases that commands speak to while the log grows.
    #[arg(long, default_value_t = crate::work::CASES)]
    pub cases: usize,
    /// Clients.
    #[arg(long, default_value_t = 64)]
    pub clients: usize,
    /// Seconds that are counted, of each run.
    #[arg(long, default_value_t = 3)]
    pub seconds: u64,
    /// Runs of each; medians are of these.
    #[arg(long, default_value_t = 3)]
    pub runs: usize,
    /// Where to write everything that was measured, as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Where to draw commands a second against events in the log, as SVG.
    #[arg(long)]
    pub plot: Option<PathBuf>,
}

/// The largest log.
const LARGEST: usize = 10_000_000;

/// How many cases are touched at once before a measure, so that each is in the command-service's memory.
const TOUCHED_AT_ONCE: usize = 64;

impl Sizes {
    /// For the smoke test.
    #[must_use]
    pub fn tiny() -> Self {
        Self {
            events: vec![60],
            small: true,
            streams: vec![5],
            long_cases: 10,
            cases: 20,
            clients: 4,
            seconds: 0,
            runs: 1,
            json: None,
            plot: None,
        }
    }

    fn plan(&self) -> Plan {
        Plan {
            clients: vec![self.clients],
            // Of a smoke test a fraction is enough.
            time: Duration::from_secs(self.seconds).max(Duration::from_millis(200)),
            warm_up: Duration::from_secs(self.seconds.min(1)),
            runs: self.runs,
            cases: self.cases,
        }
    }
}

/// Measures everything that grows.
///
/// # Errors
/// A sentence on what failed.
pub async fn measure(sizes: &Sizes) -> Result<Vec<Grown>, String> {
    let mut grown = logs_and_cases(sizes).await?;
    eprintln!("growth: one and two command-services");
    let measured = measure::by_turns(&[Contender::Service, Contender::TwoServices], &sizes.plan()).await?;
    let what = Growing::Services;
    grown.extend((1..).zip(measured).map(|(size, runs)| Grown { what, size, runs }));
    Ok(grown)
}

/// Measures what is filled by SQL: logs, and cases.
///
/// # Errors
/// A sentence on what failed.
pub async fn logs_and_cases(sizes: &Sizes) -> Result<Vec<Grown>, String> {
    let mut grown = Vec::new();
    let mut logs = sizes.events.clone();
    logs.extend((!sizes.small).then_some(LARGEST));
    for size in logs {
        grown.extend(log(sizes, size).await?);
    }
    // The log is as long for short streams as for long ones: only the streams differ.
    let longest = sizes.streams.iter().max().copied().unwrap_or_default() * sizes.long_cases;
    for size in &sizes.streams {
        grown.push(cases(sizes, *size, longest).await?);
        grown.push(cases_of_stock(sizes, *size).await?);
    }
    Ok(grown)
}

/// The active cases have one event each; other cases make up the rest of the log.
async fn log(sizes: &Sizes, size: usize) -> Result<Vec<Grown>, String> {
    eprintln!("growth: a log of {size} events");
    let postgres = TestPostgres::durable().await;
    let mut ours = Ours::set_up_with(&postgres, sizes.cases, 1).await?;
    // One that there is to copy.
    accepted(ours.service().call(&update(0)).await)?;
    let there = usize::try_from(ours.head().await?).map_err(|error| error.to_string())?;
    let began = Instant::now();
    ours.with_commands(size.saturating_sub(there)).await?;
    eprintln!("growth: it was filled in {:.0} seconds", began.elapsed().as_secs_f64());
    // Without the one to copy: a log that holds the cases alone has as many events as there are cases.
    let size = size.max(there - 1);
    let mut grown = Vec::new();
    for (what, ids) in [(Growing::Log, Ids::Random), (Growing::LogIdsInOrder, Ids::InOrder)] {
        ours.checkpoint().await?;
        ours.give_ids(ids);
        grown.push(repeated(sizes, what, size, Contender::Service, sizes.cases, &mut ours).await?);
    }
    ours.let_go().await;
    postgres.stop().await;
    Ok(grown)
}

async fn cases(sizes: &Sizes, size: usize, longest: usize) -> Result<Grown, String> {
    eprintln!("growth: cases of {size} events");
    let postgres = TestPostgres::durable().await;
    let mut ours = Ours::set_up_with(&postgres, sizes.long_cases, 1).await?;
    // To copy; it is in no case that is measured.
    accepted(ours.service().call(&submission(sizes.long_cases)).await)?;
    accepted(ours.service().call(&update(sizes.long_cases)).await)?;
    ours.with_long_streams(sizes.long_cases, size).await?;
    ours.with_events(longest.saturating_sub(sizes.long_cases * size))
        .await?
        .close()
        .await;
    // Each case is read once, and then in memory.
    let touches = (0..sizes.long_cases).map(|case| {
        let ours = &ours;
        async move { accepted(ours.service().call(&update(case)).await).map(drop) }
    });
    futures::stream::iter(touches)
        .buffer_unordered(TOUCHED_AT_ONCE)
        .try_collect::<()>()
        .await?;
    let (what, contender) = (Growing::Cases, Contender::Service);
    let grown = repeated(sizes, what, size, contender, sizes.long_cases, &mut ours).await;
    ours.let_go().await;
    postgres.stop().await;
    grown
}

async fn cases_of_stock(sizes: &Sizes, size: usize) -> Result<Grown, String> {
    let postgres = TestPostgres::durable().await;
    let mut stock = Stock::set_up_with(&postgres, sizes.long_cases, size, 10).await?;
    let (what, contender) = (Growing::Cases, Contender::Stock(Pool::Usual));
    let grown = repeated(sizes, what, size, contender, sizes.long_cases, &mut stock).await;
    Box::new(stock).close().await;
    postgres.stop().await;
    grown
}

async fn repeated(
    sizes: &Sizes,
    what: Growing,
    size: usize,
    contender: Contender,
    cases: usize,
    ready: &mut dyn Ready,
) -> Result<Grown, String> {
    let plan = sizes.plan();
    let load = Load {
        clients: sizes.clients,
        cases,
        warm_up: plan.warm_up,
        time: plan.time,
    };
    let runs = measure::repeated(ready, load, plan.runs).await?;
    let (contender, clients) = (contender.name().to_owned(), sizes.clients);
    let runs = Runs {
        contender,
        clients,
        runs,
    };
    Ok(Grown { what, size, runs })
}
