//! What JetStream did not take: a full disk lets it answer questions as if all were well, and swallow what is published.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use schemas::subjects::{COMMANDS_STREAM, DEADLETTERS_STREAM, EVENTS_STREAM, FEEDS_STREAM, RESULTS_STREAM};

use crate::error::BusError;

/// For how long a message that was not taken counts. Whoever publishes tries again meanwhile, and the first that is taken clears it.
const COUNTS_FOR: Duration = Duration::from_secs(60);

/// The streams that did not take the last message that was published to them, and why.
#[derive(Debug, Default)]
pub(crate) struct Unstored(Mutex<BTreeMap<&'static str, (String, Instant)>>);

impl Unstored {
    /// Notes how a publish ended.
    pub(crate) fn note<T>(&self, subject: &str, stored: &Result<T, BusError>) {
        let Some(stream) = stream_of(subject) else { return };
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match stored {
            Err(BusError::Unavailable { reason, .. }) => {
                streams.insert(stream, (reason.clone(), Instant::now()));
            }
            // Whatever else it said, it was there to say it.
            Ok(_) | Err(_) => {
                streams.remove(stream);
            }
        }
    }

    /// Those that count at this moment.
    pub(crate) fn now(&self) -> BTreeMap<&'static str, String> {
        let streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counting = streams.iter().filter(|(_, (_, at))| at.elapsed() < COUNTS_FOR);
        counting.map(|(stream, (why, _))| (*stream, why.clone())).collect()
    }
}

/// The stream that holds what is published on a subject.
fn stream_of(subject: &str) -> Option<&'static str> {
    match subject.strip_prefix("caseledger.")?.split('.').next()? {
        "event" => Some(EVENTS_STREAM),
        "result" => Some(RESULTS_STREAM),
        "feed" => Some(FEEDS_STREAM),
        "deadletter" => Some(DEADLETTERS_STREAM),
        "command" => Some(COMMANDS_STREAM),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_counts_until_it_takes_something_again() {
        let unstored = Unstored::default();
        let refused = BusError::unavailable("publish a result", "no answer in time");
        unstored.note::<()>("caseledger.result.website.x", &Err(refused));
        assert_eq!(unstored.now().keys().collect::<Vec<_>>(), [&RESULTS_STREAM]);
        unstored.note("caseledger.feed.partner.x", &Ok(()));
        assert_eq!(unstored.now().len(), 1);
        unstored.note("caseledger.result.website.x", &Ok(()));
        assert!(unstored.now().is_empty());
    }

    #[test]
    fn every_stream_is_known_by_its_subjects() {
        for (pattern, stream) in [
            (schemas::subjects::ALL_EVENTS, EVENTS_STREAM),
            (schemas::subjects::ALL_RESULTS, RESULTS_STREAM),
            (schemas::subjects::ALL_FEEDS, FEEDS_STREAM),
            (schemas::subjects::ALL_DEADLETTERS, DEADLETTERS_STREAM),
            (schemas::subjects::ALL_COMMANDS, COMMANDS_STREAM),
        ] {
            assert_eq!(stream_of(pattern), Some(stream));
        }
    }
}
