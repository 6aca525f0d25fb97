//! Faults that a test asks for: where the process ends as if it had been killed there, and how far its clock is off.
//!
//! Compiled only with the feature `fault`, which only the tests ask for. What is asked for stands in the environment:
//!
//! - [`KILL_AT`]: a [`KillPoint`], and after a colon at which passing of it (`after-append:3`; 1 without).
//! - [`CLOCK`]: by how many seconds the clock of the command-service is ahead, or behind (`-3600`).
//!
//! The points lie at the seams, [`Ledger`] and [`Bus`]: what happens between two of them nobody outside can tell apart.

mod bus;
mod ledger;

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::bus::Bus;
use command_service::{Environment, Machine};
use event_store::Ledger;
use rand::rngs::StdRng;
use schemas::EventId;
use schemas::moment::Instant;

use crate::outcome::Failure;

const KILL_AT: &str = "CASELEDGER_FAULT_KILL_AT";
const CLOCK: &str = "CASELEDGER_FAULT_CLOCK";

/// Where a process may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillPoint {
    /// A command came from the bus, by call or durably, and nothing was done about it.
    AfterPull,
    /// Commands are decided, and nothing of them was sent to the log.
    BeforeAppend,
    /// The log has committed, and nobody was told.
    AfterAppend,
    /// The sender was answered.
    AfterAnswer,
    /// A durable command was acknowledged.
    AfterAck,
    /// An event is about to be published.
    BeforePublish,
    /// An event is on its way to the stream.
    AfterPublish,
    /// The stream holds an event: what it holds is the relay's checkpoint, there is no other.
    AfterPubAck,
}

impl FromStr for KillPoint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "after-pull" => Self::AfterPull,
            "before-append" => Self::BeforeAppend,
            "after-append" => Self::AfterAppend,
            "after-answer" => Self::AfterAnswer,
            "after-ack" => Self::AfterAck,
            "before-publish" => Self::BeforePublish,
            "after-publish" => Self::AfterPublish,
            "after-pub-ack" => Self::AfterPubAck,
            _ => return Err(()),
        })
    }
}

/// The end that was asked for.
#[derive(Debug)]
struct End {
    point: KillPoint,
    passings_left: AtomicU64,
}

impl End {
    /// Ends the process where this is the passing that was asked for: nothing is flushed, dropped or told.
    fn reached(&self, point: KillPoint) {
        if self.point == point && self.passings_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    }
}

/// What a service reaches and lives by.
type Surroundings = (Arc<dyn Bus>, Arc<dyn Ledger>, Arc<dyn Environment>);

/// Puts the faults that the environment asks for between a service and what it reaches.
///
/// # Errors
/// [`Failure::Usage`] where one is not understood.
pub fn put_in(bus: Arc<dyn Bus>, ledger: Arc<dyn Ledger>) -> Result<Surroundings, Failure> {
    let setting = |name: &str| std::env::var(name).ok();
    let refused = |name: &str, text: &str| Failure::Usage(format!("{name} can't be read: {text}"));
    let seconds = setting(CLOCK).map_or(Ok(0), |text| text.parse().map_err(|_| refused(CLOCK, &text)))?;
    let environment = Arc::new(OffClock(time::Duration::seconds(seconds)));
    let Some(text) = setting(KILL_AT) else {
        return Ok((bus, ledger, environment));
    };
    let end = Arc::new(end(&text).ok_or_else(|| refused(KILL_AT, &text))?);
    Ok((
        Arc::new(bus::EndingBus::new(bus, Arc::clone(&end))),
        Arc::new(ledger::EndingLedger::new(ledger, end)),
        environment,
    ))
}

fn end(text: &str) -> Option<End> {
    let (point, passing) = text.split_once(':').unwrap_or((text, "1"));
    Some(End {
        point: point.parse().ok()?,
        passings_left: AtomicU64::new(passing.parse().ok()?),
    })
}

/// The machine's clock, off by so much.
struct OffClock(time::Duration);

impl Environment for OffClock {
    fn now(&self) -> Instant {
        Instant::new(Machine.now().get() + self.0)
    }

    fn event_id(&self) -> EventId {
        Machine.event_id()
    }

    fn draw(&self) -> u8 {
        Machine.draw()
    }

    fn key_rng(&self) -> StdRng {
        Machine.key_rng()
    }
}
