//! How long to wait before a failed attempt is made again, and when to give up.

use std::time::Duration;

/// The wait after the first failed attempt; it doubles with each further one.
pub const FIRST_WAIT: Duration = Duration::from_secs(30);

/// The longest wait between two attempts.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// How old a delivery may become, from when it was queued, before an attempt that fails is its last: five days, so that a mail
/// server that breaks on the evening before a bank-holiday weekend loses nothing (from Maundy Thursday to Easter Tuesday), and
/// within the four to five days that RFC 5321 section 4.5.4.1 speaks of.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(5 * 24 * 60 * 60);

/// The longest wait between two attempts to record a delivery on its case. Recording is never given up.
pub const LONGEST_RECORDING_WAIT: Duration = Duration::from_secs(60);

/// The wait after the first attempt to record that got no answer.
pub const FIRST_RECORDING_WAIT: Duration = Duration::from_secs(1);

/// The wait before a notice is sent again after its `attempts`th attempt failed; none where it is to be given up, which its
/// `age` since it was queued says, however often it was tried.
///
/// `jitter` lies in 0.0 to 1.0 and spreads the waits between their half and their whole, so that what failed together does
/// not come back together.
#[must_use]
pub fn before_sending_again(attempts: u32, age: Duration, jitter: f64) -> Option<Duration> {
    (age < GIVE_UP_AFTER).then(|| wait(FIRST_WAIT, LONGEST_WAIT, attempts, jitter))
}

/// The wait before a delivery is recorded again after its `attempts`th attempt got no answer.
#[must_use]
pub fn before_recording_again(attempts: u32, jitter: f64) -> Duration {
    wait(FIRST_RECORDING_WAIT, LONGEST_RECORDING_WAIT, attempts, jitter)
}

fn wait(first: Duration, longest: Duration, attempts: u32, jitter: f64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(20);
    let whole = first.saturating_mul(1 << doublings).min(longest);
    whole.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let seconds: Vec<_> = (1..=9)
            .filter_map(|attempts| before_sending_again(attempts, Duration::ZERO, 1.0))
            .map(|w| w.as_secs())
            .collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    }

    #[test]
    fn jitter_takes_away_at_most_half() {
        let wait = |attempts, jitter| before_sending_again(attempts, Duration::ZERO, jitter);
        assert_eq!(wait(1, 0.0), Some(FIRST_WAIT / 2));
        assert_eq!(wait(40, 0.5), Some(LONGEST_WAIT * 3 / 4));
        assert_eq!(wait(1, 7.0), Some(FIRST_WAIT));
    }

    #[test]
    fn a_notice_outlives_a_bank_holiday_weekend_whatever_chance_says_and_a_record_is_never_given_up() {
        const HOUR: u64 = 60 * 60;
        // From Thursday at six in the evening to Tuesday at nine.
        const WEEKEND: Duration = Duration::from_secs((4 * 24 + 15) * HOUR);
        for jitter in [0.0, 0.5, 1.0] {
            let (mut age, mut attempts) = (Duration::ZERO, 1);
            while let Some(wait) = before_sending_again(attempts, age, jitter) {
                age += wait;
                attempts += 1;
            }
            assert!(age > WEEKEND, "{jitter}: {age:?}");
            assert!(age < GIVE_UP_AFTER + LONGEST_WAIT, "{jitter}: {age:?}");
        }
        assert!(before_sending_again(u32::MAX, WEEKEND, 1.0).is_some());
        assert_eq!(before_sending_again(1, GIVE_UP_AFTER, 1.0), None);
        assert_eq!(before_recording_again(u32::MAX, 1.0), LONGEST_RECORDING_WAIT);
    }
}
