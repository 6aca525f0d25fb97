//! Whether something grows: a line through its samples, and its last third beside the middle one.

use serde::{Deserialize, Serialize};

/// How much more the end may be than before it, as a part of that.
const MAY_GROW: f64 = 0.05;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// What samples say of their course.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Trend {
    /// The mean of the middle third.
    pub middle: f64,
    /// The mean of the last third.
    pub last: f64,
    /// By how much the line through the second half (least squares) rises from its beginning to its end.
    pub rise: f64,
    /// The same of the last third.
    pub rise_last: f64,
    /// The same in a day, if it went on like that.
    pub a_day: f64,
}

impl Trend {
    /// Of samples in order, each with its time in seconds; none where there are fewer than six.
    #[must_use]
    pub fn of(samples: &[(f64, f64)]) -> Option<Self> {
        let count = samples.len();
        if count < 6 {
            return None;
        }
        let (half, third) = (&samples[count / 2..], &samples[2 * count / 3..]);
        Some(Self {
            middle: mean(&samples[count / 3..2 * count / 3]),
            last: mean(third),
            rise: slope(half) * time(half),
            rise_last: slope(third) * time(third),
            a_day: slope(half) * DAY,
        })
    }

    /// Whether it grows: by all three measures, each by more than a twentieth and by more than `slack`. What grows steadily
    /// moves each of them by as much, or more; a single step before the last third, or a saw's tooth, moves one or two. A step within
    /// the last third is taken for growth: another may follow.
    #[must_use]
    pub fn grows(&self, slack: f64) -> bool {
        let least = (self.middle * MAY_GROW).max(slack);
        [self.last - self.middle, self.rise, self.rise_last]
            .into_iter()
            .all(|more| more > least)
    }
}

fn mean(samples: &[(f64, f64)]) -> f64 {
    samples.iter().map(|(_, value)| value).sum::<f64>() / samples.len().max(1) as f64
}

fn time(samples: &[(f64, f64)]) -> f64 {
    let ends = samples.first().zip(samples.last());
    ends.map_or(0.0, |(first, last)| last.0 - first.0)
}

fn slope(samples: &[(f64, f64)]) -> f64 {
    let count = samples.len().max(1) as f64;
    let at = samples.iter().map(|(at, _)| at).sum::<f64>() / count;
    let value = mean(samples);
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in samples {
        above += (x - at) * (y - value);
        below += (x - at).powi(2);
    }
    if below > 0.0 { above / below } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..180).map(|n| (f64::from(n) * 10.0, value(f64::from(n)))).collect()
    }

    #[test]
    fn what_rises_steadily_grows() {
        let trend = Trend::of(&samples(|n| 100.0 + n / 2.0)).unwrap();
        assert!(trend.grows(2.0));
        assert!((trend.a_day - 0.05 * DAY).abs() < 1.0, "{trend:?}");
    }

    #[test]
    fn what_rises_first_and_then_stays_is_flat() {
        let trend = Trend::of(&samples(|n| 100.0 + n.min(50.0))).unwrap();
        assert!(!trend.grows(2.0), "{trend:?}");
    }

    #[test]
    fn a_saw_is_flat() {
        let trend = Trend::of(&samples(|n| 100.0 + 20.0 * (n / 17.0).fract())).unwrap();
        assert!(!trend.grows(2.0), "{trend:?}");
    }

    #[test]
    fn one_step_before_the_last_third_is_flat() {
        for step in [60.0, 90.0, 117.0] {
            let trend = Trend::of(&samples(|n| if n < step { 34.0 } else { 39.0 })).unwrap();
            assert!(!trend.grows(2.0), "a step at {step}: {trend:?}");
        }
    }

    #[test]
    fn stairs_grow() {
        let trend = Trend::of(&samples(|n| 34.0 + 5.0 * (n / 25.0).floor())).unwrap();
        assert!(trend.grows(2.0), "{trend:?}");
    }

    #[test]
    fn a_few_samples_say_nothing() {
        assert!(Trend::of(&samples(|n| n)[..5]).is_none());
    }
}
