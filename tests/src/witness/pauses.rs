//! How long clients saw nothing accepted.

use std::time::{Duration, Instant};

use super::{Witness, lock};
use crate::Way;

/// When a command was sent for the first time, and when its sender heard that it is accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acceptance {
    way: Way,
    sent: Instant,
    heard: Instant,
}

impl Acceptance {
    pub(super) fn now(way: Way, sent: Instant) -> Acceptance {
        let heard = Instant::now();
        Acceptance { way, sent, heard }
    }
}

impl Witness {
    /// The longest time in which nothing that was sent this way was accepted, of those times that ended after `from` or last still.
    pub fn longest_pause(&self, way: Way, from: Instant) -> Duration {
        let heard: Vec<Instant> = self.accepted(way).iter().map(|one| one.heard).collect();
        let ends = heard.iter().skip(1).copied().chain([Instant::now()]);
        let pauses = heard.iter().zip(ends).filter(|(_, end)| *end > from);
        let lengths = pauses.map(|(begin, end)| end.saturating_duration_since(*begin));
        lengths.max().unwrap_or_default()
    }

    /// The longest that a sender waited for the acceptance of what it sent this way, of those that came after `from`.
    pub fn longest_wait(&self, way: Way, from: Instant) -> Duration {
        let heard = self.accepted(way).into_iter().filter(|one| one.heard > from);
        heard.map(|one| one.heard - one.sent).max().unwrap_or_default()
    }

    /// The same, of what was sent after `from` only.
    pub fn longest_wait_of_new(&self, way: Way, from: Instant) -> Duration {
        let sent = self.accepted(way).into_iter().filter(|one| one.sent > from);
        sent.map(|one| one.heard - one.sent).max().unwrap_or_default()
    }

    fn accepted(&self, way: Way) -> Vec<Acceptance> {
        let accepted = lock(&self.accepted);
        let of_way = accepted.iter().filter(|one| way == Way::Both || one.way == way);
        of_way.copied().collect()
    }
}
