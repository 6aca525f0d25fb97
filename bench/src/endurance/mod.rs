//! Endurance: a council's traffic for half an hour at half of what this machine can do, a burst, and consumers that stand still.
//! It asks whether anything grows, is lost, or is held up by somebody else.

mod council;
mod draw;
mod results;
mod slow;
mod told;
mod traffic;
mod trend;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use clap::Args;
use system_tests::TestPostgres;

use council::{FOLLOWERS, Running, UNTIL_VIEWS};
use told::Watch;
use traffic::Traffic;

pub use told::Told;

/// Of what was done at the peak, what is offered for long.
const OF_THE_PEAK: f64 = 0.5;

/// The same of a normal day, before a burst.
const NORMAL_OF_THE_PEAK: f64 = 0.1;

/// How many times the normal rate a burst is.
const BURST: f64 = 10.0;

/// A lag below what comes in this many seconds is none.
const NO_LAG_SECONDS: f64 = 1.0;

/// How long, and how much.
#[derive(Args, Clone, Debug)]
pub struct Plan {
    /// Minutes at half the peak.
    #[arg(long, default_value_t = 30.0)]
    pub minutes: f64,
    /// Seconds in which the peak is measured.
    #[arg(long, default_value_t = 20.0)]
    pub peak_seconds: f64,
    /// Seconds of the burst; what comes before it takes half as long.
    #[arg(long, default_value_t = 60.0)]
    pub burst_seconds: f64,
    /// Seconds for which consumers are slow, and a projection is held.
    #[arg(long, default_value_t = 60.0)]
    pub held_seconds: f64,
    /// Commands on their way at the peak.
    #[arg(long, default_value_t = 256)]
    pub in_flight: usize,
    /// Cases that are alive at a time.
    #[arg(long, default_value_t = crate::work::CASES)]
    pub cases: usize,
    /// Results of durable commands that are there from before: as many as the stream keeps, as in any installation that has been in
    /// use for a while. With fewer, what nats-server holds grows until there are as many.
    #[arg(long, default_value_t = bus::limits::RESULTS_MAX_MESSAGES.unsigned_abs())]
    pub results: u64,
    /// Seconds between two looks at memory, lags and answers; one second outside of the long phase.
    #[arg(long, default_value_t = 10.0)]
    pub every: f64,
    /// Commands a second for the long phase, instead of half the peak.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Where to write everything that was seen, as JSON; after each phase anew.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Where to draw memory and lags over time, as SVG.
    #[arg(long)]
    pub plot: Option<PathBuf>,
}

impl Plan {
    /// For the smoke test.
    #[must_use]
    pub fn tiny() -> Self {
        Self {
            minutes: 0.1,
            peak_seconds: 1.0,
            burst_seconds: 2.0,
            held_seconds: 2.0,
            in_flight: 8,
            cases: 20,
            results: 20,
            every: 0.5,
            rate: Some(20.0),
            json: None,
            plot: None,
        }
    }
}

/// Runs all of it. What it saw is written as far as it came, also where it ends early.
///
/// # Errors
/// A sentence on what failed; a verdict that is no is none of that.
pub async fn run(plan: &Plan) -> Result<Told, String> {
    let postgres = TestPostgres::durable().await;
    eprintln!("endurance: starting every service, and bringing {} cases", plan.cases);
    let running = Running::start(&postgres).await?;
    let traffic = Traffic::set_up(&running.council, plan.cases, plan.in_flight).await?;
    running.caught_up(FOLLOWERS.len()).await?;
    results::fill(&running.council, plan.results).await?;
    traffic.begin();
    let mut endurance = Endurance {
        watch: Watch::begin(&running, &traffic),
        plan: plan.clone(),
        running,
        traffic,
        told: Told::default(),
    };
    endurance.peak().await?;
    endurance.has_room().await?;
    endurance.long().await?;
    endurance.burst().await?;
    endurance.slow_consumers().await?;
    endurance.nothing_is_lost().await?;
    endurance.running.stop().await;
    postgres.stop().await;
    Ok(endurance.told)
}

struct Endurance {
    plan: Plan,
    running: Running,
    traffic: Arc<Traffic>,
    watch: Watch,
    told: Told,
}

impl Endurance {
    /// What all services can do on this machine: accepted commands a second, counted until everybody has caught up.
    async fn peak(&mut self) -> Result<(), String> {
        let before = self.accepted();
        let began = Instant::now();
        let time = Duration::from_secs_f64(self.plan.peak_seconds);
        self.traffic.keep(self.plan.in_flight, time).await?;
        let commands = (self.accepted() - before) as f64;
        let answered = began.elapsed().as_secs_f64();
        self.running.caught_up(UNTIL_VIEWS).await?;
        let viewed = began.elapsed().as_secs_f64();
        self.running.caught_up(FOLLOWERS.len()).await?;
        let told = began.elapsed().as_secs_f64();
        self.traffic.take_latencies()?;
        self.told.peak = commands / told;
        self.told.peak_answered = commands / answered;
        self.told.peak_viewed = commands / viewed;
        self.told.rate = self.plan.rate.unwrap_or(self.told.peak * OF_THE_PEAK).max(1.0);
        eprintln!(
            "endurance: peak {:.0} commands a second until the last notice is recorded; {:.0} until answered, {:.0} until the views \
             have caught up",
            self.told.peak, self.told.peak_answered, self.told.peak_viewed
        );
        Ok(())
    }

    /// Refuses to begin what the disk can't hold: better now than in the night.
    async fn has_room(&self) -> Result<(), String> {
        let held = self
            .running
            .number("SELECT pg_database_size(current_database())")
            .await? as f64;
        // The bus holds each event too, and PostgreSQL its write-ahead log.
        let each = 2.0 * held / self.accepted().max(1) as f64;
        let seconds = self.plan.minutes * 60.0 + 4.0 * self.plan.burst_seconds + 4.0 * self.plan.held_seconds;
        let needed = each * self.told.rate * seconds;
        match free_bytes().await {
            Some(free) if needed > free => Err(format!(
                "this would take some {:.0} GB and there are {:.0} GB in the temporary folder: ask for fewer --minutes, a lower \
                 --rate, or set TMPDIR",
                needed / 1e9,
                free / 1e9
            )),
            _ => Ok(()),
        }
    }

    /// Half the peak, for long.
    async fn long(&mut self) -> Result<(), String> {
        let time = Duration::from_secs_f64(self.plan.minutes * 60.0);
        self.watch.phase("long", self.plan.every);
        self.traffic.offer(self.told.rate, time).await;
        self.see().await?;
        let catching_up = Instant::now();
        self.settled().await?;
        self.told.judge_long(catching_up.elapsed().as_secs_f64());
        self.write()
    }

    /// A normal day, ten times as much, and a normal day again until everybody has caught up.
    async fn burst(&mut self) -> Result<(), String> {
        let normal = (self.told.peak * NORMAL_OF_THE_PEAK).max(1.0);
        let burst = Duration::from_secs_f64(self.plan.burst_seconds);
        self.watch.phase("before the burst", 1.0);
        self.traffic.offer(normal, burst / 2).await;
        self.watch.phase("burst", 1.0);
        self.traffic.offer(normal * BURST, burst).await;
        self.watch.phase("after the burst", 1.0);
        let (began, mut back) = (Instant::now(), None);
        while began.elapsed() < burst * 5 && back.is_none() {
            self.traffic.offer(normal, Duration::from_secs(1)).await;
            let lags = self.running.lags().await;
            let no_lag = lags.len() == FOLLOWERS.len() && lags.values().all(|lag| *lag <= normal * NO_LAG_SECONDS);
            if no_lag && (self.traffic.in_flight() as f64) <= normal * NO_LAG_SECONDS {
                back = Some(began.elapsed().as_secs_f64());
            }
        }
        self.see().await?;
        self.settled().await?;
        self.told.judge_burst(normal, back);
        self.write()
    }

    /// Clients of the bus that do not keep up, then a process of projections that is held; each beside a while without.
    async fn slow_consumers(&mut self) -> Result<(), String> {
        let held = Duration::from_secs_f64(self.plan.held_seconds);
        let rate = self.told.rate;
        self.watch.phase("all is well", 1.0);
        self.traffic.offer(rate, held).await;
        self.watch.phase("slow clients", 1.0);
        let slow = [
            slow::never_acknowledges(&self.running.council).await?,
            slow::one_a_second(&self.running.council).await?,
        ];
        self.traffic.offer(rate, held).await;
        let taken: Vec<u64> = slow.into_iter().map(slow::Client::stop).collect();
        self.watch.phase("projections held", 1.0);
        self.running.signal("projections", "STOP");
        self.traffic.offer(rate, held).await;
        self.see().await?;
        self.running.signal("projections", "CONT");
        self.watch.phase("catching up", 1.0);
        let began = Instant::now();
        self.settled().await?;
        self.told.judge_slow(&taken, began.elapsed().as_secs_f64());
        self.write()
    }

    /// What was accepted is in the log, and in the views.
    async fn nothing_is_lost(&mut self) -> Result<(), String> {
        let tally = &self.traffic.tally;
        let running = &self.running;
        let of_ours = "FROM ledger.commands WHERE client IN ('website', 'contact-centre') AND status = 'accepted'";
        let ids = "('x' || right(replace(command_id::text, '-', ''), 16))::bit(64)::bigint";
        let statement = format!("SELECT count(*), coalesce(bit_xor({ids}), 0) {of_ours}");
        let recorded: Result<(i64, i64), _> = sqlx::query_as(&statement).fetch_one(&running.owner).await;
        let (count, ids) = recorded.map_err(|error| error.to_string())?;
        let in_log = (count as u64, ids.cast_unsigned()) == (self.accepted(), tally.ids.load(Relaxed));
        self.told.verdict(
            "every accepted command is in the log, by its id",
            in_log,
            format!("{} were accepted, {count} are recorded", self.accepted()),
        );
        let opened = tally.opened.load(Relaxed);
        let closed = tally.closed.load(Relaxed);
        for (view, all, shut) in [
            (
                "history",
                "SELECT count(*) FROM history.cases",
                "SELECT count(*) FROM history.cases WHERE status = 'closed'",
            ),
            (
                "reporting",
                "SELECT count(*) FROM reporting.requests",
                "SELECT count(*) FROM reporting.requests WHERE status = 'closed'",
            ),
        ] {
            let (all, shut) = (running.number(all).await?, running.number(shut).await?);
            self.told.verdict(
                &format!("every case is in {view} as it was left"),
                (all as u64, shut as u64) == (opened, closed),
                format!(
                    "{opened} were opened and {closed} of them stand closed; there are {all}, {shut} of them closed"
                ),
            );
        }
        let rejected = tally.rejected.load(Relaxed);
        let first = self.traffic.failure();
        self.told.verdict(
            "no command was rejected",
            rejected == 0,
            format!("{rejected} were; the first: {first:?}"),
        );
        self.write()
    }

    fn accepted(&self) -> u64 {
        self.traffic.tally.accepted.load(Relaxed)
    }

    /// Waits until everything is answered and everybody has caught up, and takes in what was seen.
    async fn settled(&mut self) -> Result<(), String> {
        while self.traffic.in_flight() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.running.caught_up(FOLLOWERS.len()).await?;
        self.see().await?;
        self.watch.pause();
        Ok(())
    }

    async fn see(&mut self) -> Result<(), String> {
        self.watch.take(&mut self.told).await
    }

    /// As far as it has come: a run that ends early has said something too.
    fn write(&self) -> Result<(), String> {
        let json = serde_json::to_string_pretty(&self.told).map_err(|error| error.to_string())?;
        let Some(path) = &self.plan.json else { return Ok(()) };
        std::fs::write(path, json).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// Draws what was seen.
///
/// # Errors
/// Where the file can't be written.
pub fn draw(told: &Told, path: &std::path::Path) -> Result<(), String> {
    draw::over_time(told, path).map_err(|error| format!("{}: {error}", path.display()))
}

/// What is free where servers put their data; none where that can't be found out.
async fn free_bytes() -> Option<f64> {
    let mut df = tokio::process::Command::new("df");
    df.args(["--output=avail", "-B1"]).arg(std::env::temp_dir());
    let output = df.output().await.ok()?;
    String::from_utf8(output.stdout)
        .ok()?
        .lines()
        .nth(1)?
        .trim()
        .parse()
        .ok()
}
