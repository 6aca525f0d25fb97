//! What is counted of the log. Whoever runs a service decides whether anybody collects it; without a collector nothing is kept.
//!
//! Labels have few values, which are written here or in code: none is made of what a person or a client sent.

use std::time::Instant;

use metrics::{counter, gauge, histogram};
use schemas::Position;
use traces::Part;

use crate::error::LedgerError;
use crate::ledger::StoredEvent;
use crate::subscription::{Consumer, ConsumerError};
use crate::traced::span_each;

/// Calls that the appender has and has not answered: in its queue or on their way to the log. A gauge.
pub const APPEND_CALLS_WAITING: &str = "caseledger_append_calls_waiting";
/// Commands in one append. A histogram.
pub const APPEND_BATCH_COMMANDS: &str = "caseledger_append_batch_commands";
/// How long one append takes, with its commit, in seconds. A histogram.
pub const APPEND_SECONDS: &str = "caseledger_append_seconds";
/// Appends by `outcome`: `recorded`, `unavailable`, `unknown`, `broken` or `unrecordable`. A counter.
pub const APPENDS: &str = "caseledger_appends_total";
/// Events applied by each `subscription`. A counter.
pub const SUBSCRIPTION_EVENTS: &str = "caseledger_subscription_events_total";
/// Batches that a `subscription` could not apply, by `outcome`: `retry` or `stop`. A counter.
pub const SUBSCRIPTION_FAULTS: &str = "caseledger_subscription_faults_total";

/// A call that waits for its answer, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Waiting(());

impl Waiting {
    pub(crate) fn begin() -> Self {
        gauge!(APPEND_CALLS_WAITING).increment(1.0);
        Self(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        gauge!(APPEND_CALLS_WAITING).decrement(1.0);
    }
}

/// Notes one append of `commands`, sent at `begun`.
pub(crate) fn appended<T>(commands: usize, begun: Instant, result: &Result<T, LedgerError>) {
    let outcome = match result {
        Ok(_) => "recorded",
        Err(LedgerError::Unavailable(_)) => "unavailable",
        Err(LedgerError::Unknown(_)) => "unknown",
        Err(LedgerError::Broken(_)) => "broken",
        Err(LedgerError::Unrecordable(_)) => "unrecordable",
    };
    counter!(APPENDS, "outcome" => outcome).increment(1);
    histogram!(APPEND_BATCH_COMMANDS).record(u32::try_from(commands).map_or(f64::from(u32::MAX), f64::from));
    histogram!(APPEND_SECONDS).record(begun.elapsed());
}

/// A consumer that is counted under the name of its subscription.
pub(crate) struct Counted<'c, C> {
    pub(crate) subscription: &'static str,
    pub(crate) consumer: &'c mut C,
}

impl<C: Consumer> Consumer for Counted<'_, C> {
    async fn checkpoint(&mut self) -> Result<Position, ConsumerError> {
        self.consumer.checkpoint().await
    }

    async fn apply(&mut self, events: Vec<StoredEvent>) -> Result<(), ConsumerError> {
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let mut followed = span_each(&events, &format!("{} apply", self.subscription), Part::TakingIn);
        let applied = self.consumer.apply(events).await;
        if applied.is_err() {
            followed.iter_mut().for_each(|span| span.failed("not applied"));
        }
        match &applied {
            Ok(()) => counter!(SUBSCRIPTION_EVENTS, "subscription" => self.subscription).increment(count),
            Err(ConsumerError::Retry(_)) => {
                counter!(SUBSCRIPTION_FAULTS, "subscription" => self.subscription, "outcome" => "retry").increment(1);
            }
            Err(ConsumerError::Stop(_)) => {
                counter!(SUBSCRIPTION_FAULTS, "subscription" => self.subscription, "outcome" => "stop").increment(1);
            }
        }
        applied
    }
}
