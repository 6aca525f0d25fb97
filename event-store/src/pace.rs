//! How long a batch waits for company.
//!
//! While a batch is being committed, whatever comes queues up and goes together: that is most of the gain. One case is left:
//! the answers of a batch send its callers on their way together, and they come back with their next commands together,
//! the first a little before the others. Sent at once, that first one would commit alone and make the rest wait a whole
//! commit longer. So a batch that begins right after a large one waits for half as many as that had, but never longer than a
//! part of what a commit takes. Half: the others make the next batch, so that one half is recorded while the other is decided.
//! Where nobody was in the last batch with it, or the last batch is long over, it does not wait.

use std::time::Duration;

use tokio::time::Instant;

/// The longest wait, however slow the commits are.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// The part of a commit's time that is worth waiting: this fraction.
const FRACTION_OF_COMMIT: u32 = 4;

/// How much of the measured time is replaced by each new measurement: this fraction.
const FRACTION_LEARNT: u32 = 8;

/// What the last commits were like.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Smoothed; zero before the first.
    commit: Duration,
    last: Option<Batch>,
}

#[derive(Debug)]
struct Batch {
    calls: usize,
    ended: Instant,
}

/// What is worth waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Company {
    /// Until so many calls are together, …
    pub(crate) calls: usize,
    /// … or until then.
    pub(crate) until: Instant,
}

impl Pace {
    /// Takes note of a batch that was committed.
    pub(crate) fn committed(&mut self, calls: usize, started: Instant, ended: Instant) {
        let took = ended.saturating_duration_since(started);
        self.commit = if self.commit.is_zero() {
            took
        } else {
            self.commit - self.commit / FRACTION_LEARNT + took / FRACTION_LEARNT
        };
        self.last = Some(Batch { calls, ended });
    }

    /// What a batch that begins now should wait for; nothing where the log is idle.
    pub(crate) fn company(&self, now: Instant) -> Option<Company> {
        let last = self.last.as_ref()?;
        let wait = (self.commit / FRACTION_OF_COMMIT).min(LONGEST_WAIT);
        let until = last.ended + wait;
        (last.calls > 1 && now < until).then_some(Company {
            calls: last.calls.div_ceil(2),
            until,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_first_batch_and_an_idle_log_wait_for_nobody() {
        let start = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.company(start), None);
        pace.committed(50, start, start + 4 * MS);
        assert_eq!(pace.company(start + 100 * MS), None);
    }

    #[test]
    fn a_lone_caller_never_waits() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.committed(1, start, start + 4 * MS);
        assert_eq!(pace.company(start + 4 * MS), None);
    }

    #[test]
    fn right_after_a_large_batch_a_part_of_a_commit_is_waited() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.committed(50, start, start + 4 * MS);
        assert_eq!(
            pace.company(start + 4 * MS),
            Some(Company {
                calls: 25,
                until: start + 5 * MS
            })
        );
    }

    #[test]
    fn slow_commits_do_not_make_the_wait_long() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.committed(50, start, start + 10_000 * MS);
        let company = pace.company(start + 10_000 * MS).unwrap();
        assert_eq!(company.until, start + 10_000 * MS + LONGEST_WAIT);
    }
}
