//! What a run is drawn from: one generator for its seed, the faults that strike, simulated time, and the trace of what happened.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::fault::Fault;

/// When every run begins, in seconds since 1970: a Monday morning in November 2026, so that all files of the catalogue are in force.
const BEGINS_AT: i64 = 1_793_610_000;

/// How likely a fault is at each place where it can strike, in a thousand. Each run draws one of these for each fault, so that runs
/// differ in kind: some have much of one fault and none of another.
const LIKELY: [u64; 6] = [0, 0, 5, 20, 60, 150];

/// The most steps of a run, a hundred times what one takes. One with more goes round in a circle: nothing arrives any more, so that its
/// time goes on and it ends.
const STEPS_MAX: u64 = 200_000;

/// Which faults strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Those that the seed draws.
    Drawn,
    /// None.
    Fair,
    /// These alone: the fault, and at which of the places where it can strike, counted from 1.
    Told(Vec<(Fault, u64)>),
}

/// A run's source of chance, time and trace. Everything in a run that could go one way or another asks it.
pub struct World {
    began: Instant,
    inner: Mutex<Inner>,
}

struct Inner {
    rng: Xoshiro256PlusPlus,
    weather: Weather,
    likely: BTreeMap<Fault, u64>,
    places: BTreeMap<Fault, u64>,
    struck: BTreeMap<Fault, u64>,
    calm: bool,
    log_away_until: Option<Instant>,
    steps: u64,
    trace: DefaultHasher,
    lines: Option<Vec<String>>,
    last_event_millis: i128,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many calls went over the seams.
    pub steps: u64,
    /// How often each fault struck.
    pub faults: BTreeMap<Fault, u64>,
    /// A hash of every step in its order: the same for the same seed.
    pub trace: u64,
    /// How long the run took by its own clock.
    pub simulated: Duration,
}

impl World {
    /// The world of a seed. Call it within a runtime whose time is paused. With `keep_lines`, every step is kept as a line to be read.
    #[must_use]
    pub fn new(seed: u64, weather: Weather, keep_lines: bool) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let likely = Fault::ALL
            .into_iter()
            .map(|fault| (fault, LIKELY[rng.random_range(0..LIKELY.len())]))
            .collect();
        Self {
            began: Instant::now(),
            inner: Mutex::new(Inner {
                rng,
                weather,
                likely,
                places: BTreeMap::new(),
                struck: BTreeMap::new(),
                calm: false,
                log_away_until: None,
                steps: 0,
                trace: DefaultHasher::new(),
                lines: keep_lines.then(Vec::new),
                last_event_millis: 0,
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a fault strikes at this place. Who asks makes it happen.
    pub fn strikes(&self, fault: Fault) -> bool {
        let mut inner = self.inner();
        let place = inner.places.entry(fault).or_insert(0);
        *place += 1;
        let place = *place;
        let strikes = !inner.calm
            && match &inner.weather {
                Weather::Fair => false,
                Weather::Told(told) => told.contains(&(fault, place)),
                Weather::Drawn => {
                    let likely = inner.likely.get(&fault).copied().unwrap_or(0);
                    likely > 0 && inner.rng.random_range(0..1000) < likely
                }
            };
        if strikes {
            *inner.struck.entry(fault).or_insert(0) += 1;
        }
        drop(inner);
        if strikes {
            self.step("world", format_args!("{fault:?} strikes, at its place {place}"));
        }
        strikes
    }

    /// No fault strikes from here on.
    pub fn calm_down(&self) {
        self.inner().calm = true;
        self.step("world", format_args!("calm"));
    }

    /// The log answers nobody for this long.
    pub fn take_log_away(&self, time: Duration) {
        self.inner().log_away_until = Some(Instant::now() + time);
    }

    /// Whether the log answers nobody at this moment.
    #[must_use]
    pub fn is_log_away(&self) -> bool {
        let until = self.inner().log_away_until;
        until.is_some_and(|until| Instant::now() < until)
    }

    /// A number below `end`, each as likely as another; 0 where `end` is 0.
    pub fn below(&self, end: u64) -> u64 {
        self.inner().rng.random_range(0..end.max(1))
    }

    /// One of several.
    pub fn one_of<'s, T>(&self, several: &'s [T]) -> Option<&'s T> {
        let last = several.len();
        several.get(usize::try_from(self.below(u64::try_from(last).unwrap_or(0))).unwrap_or(0))
    }

    /// A time between these, in whole milliseconds.
    pub fn between(&self, shortest: Duration, longest: Duration) -> Duration {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (shortest, longest) = (milliseconds(shortest), milliseconds(longest));
        Duration::from_millis(shortest + self.below(longest.saturating_sub(shortest) + 1))
    }

    /// 64 random bits.
    pub fn bits(&self) -> u64 {
        self.inner().rng.random()
    }

    /// A UUID of the form of version 4.
    pub fn uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.inner().rng.random()).into_uuid()
    }

    /// A UUID of the form of version 7, later than every one before it.
    pub fn event_uuid(&self) -> uuid::Uuid {
        let now = self.now().unix_timestamp_nanos() / 1_000_000;
        let mut inner = self.inner();
        inner.last_event_millis = now.max(inner.last_event_millis);
        let random: [u8; 10] = inner.rng.random();
        let milliseconds = u64::try_from(inner.last_event_millis).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    }

    /// The instant now, by the clock that is right.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.at(self.elapsed())
    }

    /// The instant at this time of the run.
    #[must_use]
    pub fn at(&self, elapsed: Duration) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(BEGINS_AT).unwrap_or(OffsetDateTime::UNIX_EPOCH) + elapsed
    }

    /// How long the run has taken, by its own clock.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The time that something takes on its way: most often none, at times a few milliseconds, seldom much more.
    pub async fn travel(&self) {
        if self.inner().steps > STEPS_MAX {
            std::future::pending::<()>().await;
        }
        let takes = match self.below(100) {
            0..60 => 0,
            60..98 => 1 + self.below(5),
            _ => self.below(400),
        };
        if takes > 0 {
            tokio::time::sleep(Duration::from_millis(takes)).await;
        } else {
            tokio::task::yield_now().await;
        }
    }

    /// Takes note of a step.
    pub fn step(&self, who: &str, what: fmt::Arguments<'_>) {
        let at = self.elapsed().as_millis();
        let line = format!("{at:>7} ms  {who:<20} {what}");
        let mut inner = self.inner();
        inner.steps += 1;
        inner.trace.write(line.as_bytes());
        if let Some(lines) = &mut inner.lines {
            lines.push(line);
        }
    }

    /// What the run came to so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let simulated = self.elapsed();
        let inner = self.inner();
        Figures {
            steps: inner.steps,
            faults: inner.struck.clone(),
            trace: inner.trace.finish(),
            simulated,
        }
    }

    /// The steps as lines, where they were to be kept.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.inner().lines.clone().unwrap_or_default()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_fault_that_is_told_strikes_at_its_place_alone_and_none_once_it_is_calm() {
        let told = vec![(Fault::Crash, 2), (Fault::Pause, 1), (Fault::Crash, 5)];
        let world = World::new(0, Weather::Told(told), false);
        let strikes: Vec<_> = (0..4).map(|_| world.strikes(Fault::Crash)).collect();
        assert_eq!(strikes, [false, true, false, false]);
        assert!(world.strikes(Fault::Pause));
        world.calm_down();
        assert!(!world.strikes(Fault::Crash));
        assert_eq!(world.figures().faults, [(Fault::Crash, 1), (Fault::Pause, 1)].into());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_goes_round_in_a_circle_comes_to_an_end() {
        let world = World::new(0, Weather::Fair, false);
        let circle = async {
            loop {
                world.step("somebody", format_args!("again"));
                world.travel().await;
            }
        };
        let day = Duration::from_secs(86_400);
        assert!(tokio::time::timeout(day, circle).await.is_err());
        assert!(world.elapsed() >= day);
    }

    #[tokio::test(start_paused = true)]
    async fn ids_are_of_their_versions_and_event_ids_do_not_run_back() {
        let world = World::new(9, Weather::Fair, false);
        assert_eq!(world.uuid().get_version_num(), 4);
        let milliseconds = |id: uuid::Uuid| id.as_u128() >> 80;
        let first = world.event_uuid();
        tokio::time::sleep(Duration::from_millis(3)).await;
        let second = world.event_uuid();
        assert_eq!((first.get_version_num(), second.get_version_num()), (7, 7));
        assert_eq!(milliseconds(second), milliseconds(first) + 3);
    }
}
