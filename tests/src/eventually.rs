//! Waiting for a condition instead of sleeping.

use std::time::{Duration, Instant};

/// How long to wait before a condition is looked at again.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// What a look at a condition finds: `bool`, or an `Option` with what was waited for.
pub trait Condition {
    /// What was waited for.
    type Value;

    /// The value, if the condition holds.
    fn value(self) -> Option<Self::Value>;
}

impl Condition for bool {
    type Value = ();

    fn value(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Condition for Option<T> {
    type Value = T;

    fn value(self) -> Option<T> {
        self
    }
}

/// Looks until the condition holds, and returns its value.
///
/// ```ignore
/// eventually("the case is in the history", Duration::from_secs(10), || async { history(case).await.ok() }).await;
/// ```
///
/// # Panics
/// If `what` does not hold within the `deadline`; also where a single look takes longer than that.
pub async fn eventually<C, F>(what: &str, deadline: Duration, mut look: impl FnMut() -> F) -> C::Value
where
    C: Condition,
    F: Future<Output = C>,
{
    let started = Instant::now();
    while let Some(left) = deadline.checked_sub(started.elapsed()) {
        match tokio::time::timeout(left, look()).await {
            Ok(found) => match found.value() {
                Some(value) => return value,
                None => tokio::time::sleep(BETWEEN_LOOKS).await,
            },
            Err(_) => break,
        }
    }
    panic!("within {deadline:?} it did not come about that {what}");
}
