//! What was seen, and the verdicts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use comfy_table::Table;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use system_tests::council::SERVICES;
use tokio::task::JoinHandle;

use super::council::{self, FOLLOWERS, Running};
use super::traffic::{Traffic, latencies};
use super::trend::Trend;
use crate::cpu;

/// How much memory may come and go without being called growth, in MiB.
const MEMORY_SLACK: f64 = 2.0;

/// How much slower the slowest hundredth of the answers may be, in a usual second, beside somebody who stands still: so many times,
/// and this many milliseconds.
const SLOWER: (f64, f64) = (1.5, 10.0);

/// One look.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since the peak was known.
    pub at: f64,
    /// In which phase.
    pub phase: String,
    /// Memory in MiB, by part.
    pub memory: BTreeMap<String, f64>,
    /// How far behind, by who follows: events, commands or notices.
    pub lag: BTreeMap<String, f64>,
    /// Commands handed out since the beginning; and what became of them, see [`Tally`](super::traffic::Tally).
    pub offered: u64,
    /// See `offered`.
    pub accepted: u64,
    /// See `offered`.
    pub rejected: u64,
    /// See `offered`.
    pub put_off: u64,
    /// See `offered`.
    pub unanswered: u64,
    /// See `offered`.
    pub held_back: u64,
    /// Commands on their way.
    pub in_flight: u64,
    /// The latency that half of the answers since the last look did not exceed, in milliseconds, counted from when they were due.
    pub p50: f64,
    /// The same of 99 in a hundred.
    pub p99: f64,
}

/// A question that is answered yes or no.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// What should hold.
    pub what: String,
    /// Whether it did.
    pub held: bool,
    /// The figures.
    pub because: String,
}

/// Everything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Told {
    /// Commands a second at the peak, until everybody had caught up and the last notice was recorded.
    pub peak: f64,
    /// The same until the last answer.
    pub peak_answered: f64,
    /// The same until stream and views had caught up.
    pub peak_viewed: f64,
    /// Commands a second of the long phase.
    pub rate: f64,
    /// Each look.
    pub samples: Vec<Sample>,
    /// Latencies by phase, of all its answers: p50 and p99 in milliseconds.
    pub phases: BTreeMap<String, (f64, f64)>,
    /// The verdicts.
    pub verdicts: Vec<Verdict>,
}

impl Told {
    /// Whether every verdict is yes.
    #[must_use]
    pub fn held(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.held)
    }

    /// Adds a verdict.
    pub fn verdict(&mut self, what: &str, held: bool, because: String) {
        let what = what.to_owned();
        self.verdicts.push(Verdict { what, held, because });
    }

    fn of_phase<'t>(&'t self, phase: &'t str) -> impl Iterator<Item = &'t Sample> {
        self.samples.iter().filter(move |sample| sample.phase == phase)
    }

    fn series(&self, phase: &str, of: fn(&Sample) -> &BTreeMap<String, f64>) -> BTreeMap<String, Vec<(f64, f64)>> {
        let mut series = BTreeMap::<String, Vec<(f64, f64)>>::new();
        for sample in self.of_phase(phase) {
            for (name, value) in of(sample) {
                series.entry(name.clone()).or_default().push((sample.at, *value));
            }
        }
        series
    }

    /// Memory and lags of the long phase.
    pub(super) fn judge_long(&mut self, caught_up_in: f64) {
        // Who is not there, or tells nothing, has no yes.
        let memory = self.series("long", |sample| &sample.memory);
        for part in SERVICES.into_iter().chain(["postgres", "nats-server"]) {
            let samples = memory.get(part).map_or(&[][..], Vec::as_slice);
            self.grows_not(&format!("memory of {part} is flat"), samples, MEMORY_SLACK, "MiB");
        }
        let rate = self.rate;
        let lags = self.series("long", |sample| &sample.lag);
        for (name, _) in FOLLOWERS {
            let samples = lags.get(name).map_or(&[][..], Vec::as_slice);
            self.grows_not(&format!("lag of {name} does not grow"), samples, rate, "");
        }
        let held_back = self.samples.last().map_or(0, |sample| sample.held_back);
        self.verdict(
            "what was offered could be sent",
            held_back == 0,
            format!("{held_back} commands were held back; afterwards all had caught up in {caught_up_in:.1} s"),
        );
    }

    fn grows_not(&mut self, what: &str, samples: &[(f64, f64)], slack: f64, unit: &str) {
        let Some(trend) = Trend::of(samples) else {
            return self.verdict(what, false, "there were too few looks to say".to_owned());
        };
        let Trend {
            middle,
            last,
            rise,
            rise_last,
            a_day,
        } = trend;
        self.verdict(
            what,
            !trend.grows(slack),
            format!("middle third {middle:.1}, last third {last:.1}; within the second half {rise:+.1}, within the last third {rise_last:+.1}, a day {a_day:+.0} {unit}"),
        );
    }

    pub(super) fn judge_burst(&mut self, normal: f64, back: Option<f64>) {
        let counts = |phase: &str| {
            let mut samples = self.of_phase(phase);
            let first = samples.next()?.clone();
            Some((first, samples.last()?.clone()))
        };
        let what = "a burst of ten times the normal rate is absorbed";
        let Some(((first, _), (_, last))) = counts("burst").zip(counts("after the burst")) else {
            return self.verdict(what, false, "there were too few looks to say".to_owned());
        };
        let worst = self.samples.iter().filter(|sample| sample.phase.contains("burst"));
        let worst = worst
            .flat_map(|sample| sample.lag.values())
            .fold(0.0_f64, |most, lag| most.max(*lag));
        let held_back = last.held_back - first.held_back;
        let put_off = last.put_off - first.put_off;
        let back_in = back.map_or("not in time".to_owned(), |seconds| format!("after {seconds:.0} s"));
        self.verdict(
            what,
            back.is_some() && held_back == 0,
            format!(
                "normal is {normal:.0} a second; the largest lag was {worst:.0}, back to normal {back_in}; {put_off} times told to come \
                 again, {held_back} held back"
            ),
        );
    }

    pub(super) fn judge_slow(&mut self, taken: &[u64], caught_up_in: f64) {
        // Of a minute as a whole it is what its two slowest seconds were like: a hiccup of the disk, with nobody to blame.
        let p99 = |phase: &str| median(self.of_phase(phase).map(|sample| sample.p99));
        let whole = |phase: &str| self.phases.get(phase).map_or(0.0, |(_, p99)| *p99);
        let well = p99("all is well");
        let of = |phase: &str, whose: fn(&str) -> bool| {
            let lags = self.of_phase(phase).flat_map(|sample| sample.lag.iter());
            let lags = lags.filter(|(name, _)| whose(name)).map(|(_, lag)| *lag);
            lags.fold(0.0_f64, f64::max)
        };
        let others: fn(&str) -> bool = |name| !["history", "reporting"].contains(&name);
        let everybody: fn(&str) -> bool = |_| true;
        let mut verdicts = Vec::new();
        for (phase, whose) in [("slow clients", everybody), ("projections held", others)] {
            let (Some(well), Some(beside)) = (well, p99(phase)) else {
                continue;
            };
            let (lag_well, lag) = (of("all is well", whose), of(phase, whose));
            let (times, more) = SLOWER;
            let held = beside <= (well * times).max(well + more) && lag <= (lag_well * 2.0).max(self.rate);
            let because = format!(
                "p99 of a usual second {beside:.1} ms beside {well:.1} before, of all of them {:.1} beside {:.1}; the others' largest lag {lag:.0} beside {lag_well:.0}; slow clients took \
                 {taken:?} events; once it went on all had caught up in {caught_up_in:.1} s",
                whole(phase),
                whole("all is well"),
            );
            verdicts.push((format!("{phase}: the others are not slowed down"), held, because));
        }
        for (what, held, because) in verdicts {
            self.verdict(&what, held, because);
        }
    }
}

/// The one in the middle; none of none.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.set_header([
            "phase",
            "seconds",
            "accepted/s",
            "p50 ms",
            "p99 ms",
            "memory MiB, first and last look",
            "largest lags",
        ]);
        let mut names: Vec<&str> = self.samples.iter().map(|sample| sample.phase.as_str()).collect();
        names.dedup();
        for phase in names {
            let samples: Vec<&Sample> = self.of_phase(phase).collect();
            let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
                continue;
            };
            let time = last.at - first.at;
            let accepted = (last.accepted - first.accepted) as f64 / time.max(f64::MIN_POSITIVE);
            let (p50, p99) = self.phases.get(phase).copied().unwrap_or_default();
            let memory = first.memory.iter().map(|(part, before)| {
                let after = last.memory.get(part).copied().unwrap_or_default();
                format!("{part} {before:.0} {after:.0}")
            });
            let mut lags = BTreeMap::<&str, f64>::new();
            for (name, lag) in samples.iter().flat_map(|sample| &sample.lag) {
                let most = lags.entry(name).or_default();
                *most = most.max(*lag);
            }
            let lags = lags
                .iter()
                .filter(|(_, lag)| **lag > 0.0)
                .map(|(name, lag)| format!("{name} {lag:.0}"));
            table.add_row([
                phase.to_owned(),
                format!("{time:.0}"),
                format!("{accepted:.0}"),
                format!("{p50:.1}"),
                format!("{p99:.1}"),
                memory.collect::<Vec<_>>().join("\n"),
                lags.collect::<Vec<_>>().join("\n"),
            ]);
        }
        writeln!(f, "{table}")?;
        writeln!(
            f,
            "peak: {:.0} commands a second until the last notice is recorded ({:.0} until answered, {:.0} until the views have caught up); \
             offered for long: {:.0}\n",
            self.peak, self.peak_answered, self.peak_viewed, self.rate
        )?;
        for verdict in &self.verdicts {
            let answer = if verdict.held { "yes" } else { "NO " };
            writeln!(f, "{answer}  {}: {}", verdict.what, verdict.because)?;
        }
        Ok(())
    }
}

/// Looks again and again, in the background.
pub struct Watch {
    shared: Arc<Mutex<Seen>>,
    looking: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    phase: Option<(String, Duration)>,
    samples: Vec<Sample>,
    latencies: BTreeMap<String, Histogram<u64>>,
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often it is looked whether a look is due.
const TICK: Duration = Duration::from_millis(100);

impl Watch {
    /// Begins; nothing is looked at before the first phase.
    pub fn begin(running: &Running, traffic: &Arc<Traffic>) -> Self {
        let shared = Arc::new(Mutex::new(Seen::default()));
        let (seen, pages, traffic) = (Arc::clone(&shared), running.pages(), Arc::clone(traffic));
        let looking = tokio::spawn(async move {
            let began = Instant::now();
            let (mut last, mut last_phase) = (began, String::new());
            loop {
                tokio::time::sleep(TICK).await;
                let now = lock(&seen).phase.clone();
                let (phase, every) = now.unwrap_or_default();
                if phase == last_phase && (phase.is_empty() || last.elapsed() < every) {
                    continue;
                }
                last = Instant::now();
                // What was answered since the last look belongs to the phase that ends here.
                let ending = std::mem::replace(&mut last_phase, phase);
                let phase = if ending.is_empty() { &last_phase } else { &ending };
                look(&seen, &pages, &traffic, phase.clone(), began).await;
            }
        });
        Self { shared, looking }
    }

    /// What comes from now on is this phase's, with so many seconds between two looks.
    pub fn phase(&mut self, name: &str, every: f64) {
        lock(&self.shared).phase = Some((name.to_owned(), Duration::from_secs_f64(every)));
    }

    /// Looks at nothing until the next phase.
    pub fn pause(&mut self) {
        lock(&self.shared).phase = None;
    }

    /// Takes in what was seen so far.
    pub async fn take(&mut self, told: &mut Told) -> Result<(), String> {
        if self.looking.is_finished() {
            return Err("nobody looks any more".to_owned());
        }
        let mut seen = lock(&self.shared);
        told.samples.append(&mut seen.samples);
        let milliseconds = |all: &Histogram<u64>, of: f64| all.value_at_quantile(of) as f64 / 1e6;
        for (phase, all) in &seen.latencies {
            told.phases
                .insert(phase.clone(), (milliseconds(all, 0.5), milliseconds(all, 0.99)));
        }
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

async fn look(seen: &Mutex<Seen>, pages: &[String], traffic: &Traffic, phase: String, began: Instant) {
    let (lag, memory) = (council::lags(pages).await, cpu::memory());
    let Ok(answers) = traffic.take_latencies() else { return };
    let tally = &traffic.tally;
    let milliseconds = |of: f64| answers.value_at_quantile(of) as f64 / 1e6;
    let sample = Sample {
        at: began.elapsed().as_secs_f64(),
        phase: phase.clone(),
        memory,
        lag,
        offered: tally.offered.load(Relaxed),
        accepted: tally.accepted.load(Relaxed),
        rejected: tally.rejected.load(Relaxed),
        put_off: tally.put_off.load(Relaxed),
        unanswered: tally.unanswered.load(Relaxed),
        held_back: tally.held_back.load(Relaxed),
        in_flight: traffic.in_flight(),
        p50: milliseconds(0.5),
        p99: milliseconds(0.99),
    };
    eprintln!(
        "endurance: {:.0} s, {}: {} accepted, {} in flight, p99 {:.1} ms, lags {:?}",
        sample.at, sample.phase, sample.accepted, sample.in_flight, sample.p99, sample.lag
    );
    let mut seen = lock(seen);
    seen.samples.push(sample);
    if let Ok(none) = latencies() {
        let all = seen.latencies.entry(phase).or_insert(none);
        // Both are of the same kind: that can't fail.
        let _ = all.add(&answers);
    }
}
