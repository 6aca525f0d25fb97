//! Word that something has changed, to any number of those who wait.
//!
//! They are woken in the order in which they began to wait. A `watch` of tokio wakes them in a random one, which no seed repeats.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// How often something has changed.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    changes: AtomicU64,
    waiting: Notify,
}

impl Signal {
    /// How often it has changed so far.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// It has changed once more.
    pub(crate) fn change(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.waiting.notify_waiters();
    }

    /// Returns when it has changed since `seen`, and takes note of that.
    pub(crate) async fn changed(&self, seen: &mut u64) {
        let mut told = pin!(self.waiting.notified());
        told.as_mut().enable();
        if self.changes() == *seen {
            told.await;
        }
        *seen = self.changes();
    }
}
