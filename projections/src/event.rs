//! An event of the log, read for projections.

use event_store::StoredEvent;
use schemas::event::EventRecord;
use schemas::metadata::EventMetadata;

use crate::error::{Fault, ProjectionError};

/// A stored event with what its texts say.
///
/// Guarantee: no personal value in it is open.
#[derive(Clone, Debug)]
pub struct Event {
    /// As the log holds it.
    pub stored: StoredEvent,
    /// What happened.
    pub record: EventRecord,
    /// Who, for whom, over which channel.
    pub metadata: EventMetadata,
}

impl Event {
    /// Reads a stored event on behalf of `projection`.
    ///
    /// # Errors
    /// [`ProjectionError::Unreadable`] or [`ProjectionError::Implausible`]: the projection must stop before it.
    pub fn read(projection: &'static str, stored: StoredEvent) -> Result<Self, ProjectionError> {
        let position = stored.position;
        let implausible = |fault| ProjectionError::Implausible {
            projection,
            position,
            fault,
        };
        let record = EventRecord::read(
            &stored.aggregate_type,
            &stored.event_type,
            &stored.event_version,
            &stored.payload,
        )
        .map_err(|source| ProjectionError::Unreadable {
            projection,
            position,
            source,
        })?;
        if !is_sealed(&record) {
            return Err(implausible(Fault::Unsealed));
        }
        let metadata = serde_json::from_str(&stored.metadata).map_err(|_| implausible(Fault::Metadata))?;
        Ok(Self {
            stored,
            record,
            metadata,
        })
    }
}

/// Only sealed values can be written: an open one is an error of its type.
fn is_sealed(record: &EventRecord) -> bool {
    let nowhere = std::io::sink();
    match record {
        EventRecord::Customer(event) => serde_json::to_writer(nowhere, event).is_ok(),
        EventRecord::Case(event) => serde_json::to_writer(nowhere, event).is_ok(),
        EventRecord::Round(event) => serde_json::to_writer(nowhere, event).is_ok(),
        EventRecord::Entitlement(event) => serde_json::to_writer(nowhere, event).is_ok(),
    }
}
