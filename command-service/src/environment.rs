//! What the outermost layer passes in: the time, ids, and draws.

use schemas::EventId;
use schemas::moment::Instant;
use vault::KeyRng;

/// The clock and the source of event ids. Tests pass their own.
pub trait Environment: Send + Sync {
    /// The instant now.
    fn now(&self) -> Instant;

    /// A new event id: a UUIDv7.
    fn event_id(&self) -> EventId;

    /// A number from 0 to 99, each as likely as another.
    fn draw(&self) -> u8;

    /// What makes keys and nonces, for one command: nobody may be able to guess what it gives.
    fn key_rng(&self) -> KeyRng;
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

    fn draw(&self) -> u8 {
        // The last eight bytes of a UUIDv4 are random but for two bits.
        let (_, low) = uuid::Uuid::new_v4().as_u64_pair();
        u8::try_from((low & (u64::MAX >> 2)) % 100).unwrap_or(0)
    }

    fn key_rng(&self) -> KeyRng {
        vault::fresh_rng()
    }
}
