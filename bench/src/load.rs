//! Load: clients that each send one command after another, and what was measured of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use hdrhistogram::Histogram;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::cpu::{Cpu, CpuUse};

/// How long, and by how many.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Clients; each waits for its answer before it sends again.
    pub clients: usize,
    /// The cases that they choose from, each as likely as the others.
    pub cases: usize,
    /// How long they send before anything is counted.
    pub warm_up: Duration,
    /// How long is counted.
    pub time: Duration,
}

/// What one run of a load gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Commands answered within the counted time (and whatever the case counts besides).
    pub commands: u64,
    /// The counted time in seconds.
    pub seconds: f64,
    /// The latency that half of the commands did not exceed, in milliseconds; of 99 and of 99.9 in a hundred.
    pub p50: f64,
    /// See `p50`.
    pub p99: f64,
    /// See `p50`.
    pub p999: f64,
    /// How often a command had to be sent again because another had won.
    pub conflicts: u64,
    /// CPU time used meanwhile.
    pub cpu: CpuUse,
}

impl Measured {
    /// What these latencies, in nanoseconds, and this CPU time say.
    #[must_use]
    pub fn of(commands: u64, seconds: f64, latencies: &Histogram<u64>, cpu: CpuUse) -> Self {
        let milliseconds = |quantile: f64| latencies.value_at_quantile(quantile) as f64 / 1e6;
        Self {
            commands,
            seconds,
            p50: milliseconds(0.5),
            p99: milliseconds(0.99),
            p999: milliseconds(0.999),
            conflicts: 0,
            cpu,
        }
    }

    /// Commands a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.commands as f64 / self.seconds
    }

    /// The same commands, counted until `seconds` after the beginning: when whatever follows them was done too.
    #[must_use]
    pub fn until(self, seconds: f64, cpu: CpuUse) -> Self {
        Self { seconds, cpu, ..self }
    }
}

/// A client's tally.
struct Tally {
    latencies: Histogram<u64>,
    conflicts: u64,
}

/// What handles one command to a case, by its number, and returns how often it had to be sent again.
pub type Command = Arc<dyn Fn(usize) -> BoxFuture<'static, Result<u64, String>> + Send + Sync>;

/// Runs a load.
///
/// # Errors
/// The first failure of a command.
pub async fn run(load: Load, command: &Command) -> Result<Measured, String> {
    let begin = Instant::now() + load.warm_up;
    let end = begin + load.time;
    let clients = (0..load.clients).map(|number| {
        let command = Arc::clone(command);
        tokio::spawn(async move {
            let mut random = SmallRng::seed_from_u64(number as u64);
            let mut tally = Tally {
                latencies: Histogram::new(3).map_err(|error| error.to_string())?,
                conflicts: 0,
            };
            loop {
                let sent = Instant::now();
                if sent >= end {
                    return Ok(tally);
                }
                let conflicts = command(random.random_range(0..load.cases)).await?;
                let answered = Instant::now();
                if answered >= begin && answered < end {
                    tally
                        .latencies
                        .record((answered - sent).as_nanos() as u64)
                        .map_err(|error| error.to_string())?;
                    tally.conflicts += conflicts;
                }
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    tokio::time::sleep_until(begin.into()).await;
    let before = Cpu::now();
    tokio::time::sleep_until(end.into()).await;
    let cpu = Cpu::now().since(&before);
    let (mut all, mut conflicts) = (Histogram::<u64>::new(3).map_err(|error| error.to_string())?, 0);
    for client in clients {
        let tally: Result<Tally, String> = client.await.map_err(|error| error.to_string())?;
        let tally = tally?;
        all.add(&tally.latencies).map_err(|error| error.to_string())?;
        conflicts += tally.conflicts;
    }
    let measured = Measured::of(all.len(), load.time.as_secs_f64(), &all, cpu);
    Ok(Measured { conflicts, ..measured })
}
