//! What is measured apart from the contenders: not commands a second with so many clients, but one part or one promise each.

mod booking;
mod fold;
mod import;
mod latency;
mod memory;
mod notifier;
mod relay;
pub mod replay;
mod slow_disk;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use system_tests::TestPostgres;

use crate::contenders::Contender;
use crate::report::Report;

/// One of those measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// The whole log in order.
    Replay,
    /// The relay by itself.
    Relay,
    /// From a commit's answer to a consumer on the bus.
    Latency,
    /// `caseledger import`.
    Import,
    /// The notifier's decisions.
    Notifier,
    /// What a command-service holds.
    Memory,
    /// Folding a long case.
    Fold,
    /// Places in slots, wanted by more than there are.
    Booking,
    /// With a slower `fdatasync`.
    SlowDisk,
}

/// How much of each is done.
#[derive(Args, Clone, Debug)]
pub struct Sizes {
    /// Events that are replayed.
    #[arg(long, default_value_t = 1_000_000)]
    pub replay: usize,
    /// Events that the relay publishes.
    #[arg(long, default_value_t = 200_000)]
    pub relayed: usize,
    /// Commands a second while the latency is measured; half of what the command-service and the relay do together where none is
    /// given.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Rows that are imported.
    #[arg(long, default_value_t = 10_000)]
    pub rows: usize,
    /// Notices that are decided.
    #[arg(long, default_value_t = 3_000)]
    pub notices: usize,
    /// Bookings that are tried, of a few hundred places.
    #[arg(long, default_value_t = 4_000)]
    pub bookings: usize,
    /// Cases that a command-service touches while its memory is looked at.
    #[arg(long, default_value_t = 1_000_000)]
    pub touched: usize,
    /// Milliseconds that the slow disk takes longer for each `fdatasync`.
    #[arg(long, default_value_t = 2)]
    pub slow_ms: u32,
    /// Who is measured on the slow disk.
    #[arg(skip = &slow_disk::CONTENDERS[..])]
    pub on_slow_disk: &'static [Contender],
}

impl Sizes {
    /// For the smoke test.
    pub const TINY: Self = Self {
        replay: 2_000,
        relayed: 2_000,
        rate: Some(100.0),
        rows: 40,
        notices: 10,
        bookings: 700,
        touched: 2_000,
        slow_ms: 2,
        on_slow_disk: &[Contender::Service],
    };
}

/// How often and how long, where a measure takes a time.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The runs of each.
    pub runs: usize,
    /// How long one is counted.
    pub time: Duration,
    /// The cases that there are.
    pub cases: usize,
    /// The clients that send where a load is needed.
    pub clients: usize,
}

impl Apart {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Replay,
        Self::Relay,
        Self::Latency,
        Self::Import,
        Self::Notifier,
        Self::Memory,
        Self::Fold,
        Self::Booking,
        Self::SlowDisk,
    ];

    /// Its name, by which it can be chosen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Relay => "relay",
            Self::Latency => "latency",
            Self::Import => "import",
            Self::Notifier => "notifier",
            Self::Memory => "memory",
            Self::Fold => "fold",
            Self::Booking => "booking",
            Self::SlowDisk => "slow-disk",
        }
    }

    /// Measures it on this PostgreSQL, and puts it into the report.
    ///
    /// # Errors
    /// A sentence on what failed.
    pub async fn measure(
        self,
        postgres: &Arc<TestPostgres>,
        sizes: &Sizes,
        pace: Pace,
        report: &mut Report,
    ) -> Result<(), String> {
        let figures = match self {
            Self::Replay => {
                report.replays = replay::measure(postgres, sizes.replay, pace.runs).await?;
                return Ok(());
            }
            Self::SlowDisk => {
                report.slow = slow_disk::measure(postgres, sizes.slow_ms, sizes.on_slow_disk, pace).await?;
                return Ok(());
            }
            Self::Relay => relay::measure(postgres, sizes.relayed, pace.runs).await,
            Self::Latency => latency::measure(postgres, sizes.rate, pace).await,
            Self::Import => import::measure(postgres, sizes.rows, pace.runs).await,
            Self::Notifier => notifier::measure(postgres, sizes.notices).await,
            Self::Memory => memory::measure(postgres, sizes.touched).await,
            Self::Fold => fold::measure(pace.runs),
            Self::Booking => booking::measure(postgres, sizes.bookings, pace).await,
        };
        let figures = figures.map_err(|reason| format!("{}: {reason}", self.name()))?;
        report.figures.extend(figures);
        Ok(())
    }
}
