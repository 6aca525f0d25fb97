//! What the outermost layer passes in: the time, and ids.

use schemas::EventId;
use schemas::moment::Instant;

/// The clock and the source of event ids. Tests pass their own.
pub trait Environment: Send + Sync {
    /// The instant now.
    fn now(&self) -> Instant;

    /// A new event id: a UUIDv7.
    fn event_id(&self) -> EventId;
}

/// The machine's clock and random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Environment for Machine {
    fn now(&self) -> Instant {
        Instant::new(time::OffsetDateTime::now_utc())
    }

    fn event_id(&self) -> EventId {
        EventId(uuid::Uuid::now_v7())
    }
}
