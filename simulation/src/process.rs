//! A process that can be killed or made to stand still.
//!
//! What a process does to the world it does over the seams, so that is where it is stopped: a call begins and returns only while its
//! process runs. One that is killed while a call is under way never hears of its end, whether or not it took effect; its tasks stay
//! where they are, and whatever it had in memory is lost with them. That is all that a kill at any await point could do.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// One run of one process.
#[derive(Debug)]
pub struct Process {
    name: String,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Still { until: Instant },
    Killed,
}

impl Process {
    /// A process that runs.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: Mutex::new(State::Running),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name, in the trace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Kills it.
    pub fn kill(&self) {
        *self.state() = State::Killed;
    }

    /// Lets it stand still for a while.
    pub fn stand_still(&self, time: Duration) {
        let mut state = self.state();
        if *state != State::Killed {
            *state = State::Still {
                until: Instant::now() + time,
            };
        }
    }

    /// Whether it was not killed.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        *self.state() != State::Killed
    }

    /// Waits while it stands still; for ever, once it is killed.
    pub async fn runs(&self) {
        loop {
            let state = *self.state();
            match state {
                State::Running => return,
                State::Still { until } if Instant::now() >= until => return,
                State::Still { until } => tokio::time::sleep_until(until).await,
                State::Killed => std::future::pending().await,
            }
        }
    }
}
