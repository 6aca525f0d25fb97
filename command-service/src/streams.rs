//! Reading a stream into a state.

use std::sync::Arc;

use domain::AggregateState;
use event_store::{Ledger, LedgerError, StoredEvent};
use schemas::event::{EventError, EventRecord};
use schemas::{AggregateId, Position, Version};

use crate::cache::Snapshot;

/// Why a stream could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The log could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An event in it is not known or not readable here.
    #[error("position {position}: {source}")]
    Event {
        /// Where it stands.
        position: Position,
        /// What is wrong.
        source: EventError,
    },
}

/// The stream as it stands, or `None` where there is none.
///
/// # Errors
/// [`StreamError`].
pub async fn load(ledger: &dyn Ledger, id: AggregateId) -> Result<Option<Snapshot>, StreamError> {
    let events = ledger.stream(id, Version(0)).await?;
    fold(&events)
}

/// The stream as these events, all of its, leave it.
///
/// # Errors
/// [`StreamError::Event`].
pub fn fold(events: &[StoredEvent]) -> Result<Option<Snapshot>, StreamError> {
    let Some(last) = events.last() else { return Ok(None) };
    let mut state = None;
    for event in events {
        let record = EventRecord::read(
            &event.aggregate_type,
            &event.event_type,
            &event.event_version,
            &event.payload,
        )
        .map_err(|source| StreamError::Event {
            position: event.position,
            source,
        })?;
        state
            .get_or_insert_with(|| AggregateState::before(&record))
            .apply(record, event.occurred_at.into());
    }
    Ok(state.map(|state| Snapshot {
        state: Arc::new(state),
        version: last.sequence,
    }))
}
