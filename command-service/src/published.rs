//! A stored event in its published form: one form for the relay, for replays and for whoever compares the two.

use bytes::Bytes;
use event_store::StoredEvent;
use schemas::envelope::EventMessage;
use schemas::moment::Instant;
use schemas::subjects;

/// An event's subject and structured CloudEvent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// `caseledger.event.<service>.<aggregate>.<Event>`.
    pub subject: String,
    /// The CloudEvent, the same bytes each time.
    pub body: Bytes,
}

/// Writes a stored event as it is published.
///
/// # Errors
/// When the stored texts are no JSON: the log was altered.
pub fn published(event: &StoredEvent) -> Result<Published, serde_json::Error> {
    let message = EventMessage {
        event_id: event.event_id,
        aggregate: &event.aggregate_type,
        event_type: &event.event_type,
        event_version: &event.event_version,
        aggregate_id: event.aggregate_id,
        position: event.position,
        service: &event.service,
        service_position: event.service_position,
        sequence: event.sequence,
        command_id: event.command_id,
        recorded_at: Instant::new(event.recorded_at),
        occurred_at: Instant::new(event.occurred_at),
        metadata: &event.metadata,
        payload: &event.payload,
    };
    Ok(Published {
        subject: subjects::event(&event.service, &event.aggregate_type, &event.event_type),
        body: message.write()?.into(),
    })
}
