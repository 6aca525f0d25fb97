//! Whether the log is the one that the event stream was filled from: a database that was restored to an earlier moment would
//! give the positions that others know already to other events.

use bus::{Bus, BusError, StreamedEvent};
use event_store::{Ledger, LedgerError};
use schemas::Position;
use tokio_util::sync::CancellationToken;

use crate::handler::backoff;
use crate::published::published;
use crate::service::ServiceError;

/// What the stream knows and the log does not. Only people can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RolledBack {
    /// The event stream is ahead of the log: the log was rolled back, and positions would be used twice.
    #[error(
        "the event stream holds position {stream}, the log ends at {log}: the database was rolled back; restore the missing \
         events, or empty the stream with `caseledger bus refill` once every consumer has been told"
    )]
    LogBehindStream {
        /// The stream's last position.
        stream: Position,
        /// The log's.
        log: Position,
    },
    /// The stream's last event is another than the log's at the same position.
    #[error(
        "the event stream and the log differ at position {0}: one of them was altered; run `caseledger audit verify`, and \
         empty the stream with `caseledger bus refill` once the log is known to be right"
    )]
    Differs(Position),
}

/// Compares the stream's last event with the log; that they agree is `Ok(None)`.
///
/// # Errors
/// Where the log can't be read.
pub async fn compare(ledger: &dyn Ledger, last: &StreamedEvent) -> Result<Option<RolledBack>, LedgerError> {
    let log = ledger.head().await?.position;
    if last.position > log {
        let stream = last.position;
        return Ok(Some(RolledBack::LogBehindStream { stream, log }));
    }
    let stored = ledger.feed(Position(last.position.0 - 1), None, 1).await?;
    let same = stored
        .first()
        .is_some_and(|event| published(event).is_ok_and(|published| published.body == last.body));
    Ok((!same).then_some(RolledBack::Differs(last.position)))
}

/// Waits until bus and log can be compared, and finds that they agree. Nobody can be answered before that anyway: calls come
/// over the same bus.
///
/// # Errors
/// [`ServiceError`].
pub async fn wait_until_agreed(
    ledger: &dyn Ledger,
    bus: &dyn Bus,
    stop: &CancellationToken,
) -> Result<(), ServiceError> {
    let mut attempts = 0;
    while !stop.is_cancelled() {
        let reason = match bus.last_event().await {
            Ok(end) => match end.last {
                None => return Ok(()),
                Some(last) => match compare(ledger, &last).await {
                    Ok(None) => return Ok(()),
                    Ok(Some(rolled_back)) => return Err(ServiceError::RolledBack(rolled_back)),
                    Err(error) => error.to_string(),
                },
            },
            // Then nobody was ever told of anything, or the stream has yet to be made.
            Err(BusError::StreamMissing { .. }) => return Ok(()),
            Err(error) if error.is_transient() => error.to_string(),
            Err(error) => return Err(ServiceError::Bus(error)),
        };
        attempts += 1;
        tracing::warn!(reason, "bus and log can't be compared yet");
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(backoff(attempts)) => {}
        }
    }
    Ok(())
}
