//! What is counted of commands, of the relay and of leases. Whoever runs a service decides whether anybody collects it.
//!
//! Labels have few values: the catalogue's services, the contract's commands, words of this code. What a client wrote that is no
//! command of the contract is counted as `none`.

use std::time::Instant;

use metrics::{counter, gauge, histogram};
use schemas::ServiceName;
use schemas::result::CommandStatus;
use traces::{Part, Span};

use crate::task::Mode;

/// Commands answered, by `service`, `command`, `mode` (`call`, `durable`) and `outcome` (`accepted`, `rejected`, `unavailable`,
/// `failed`). A counter.
pub const COMMANDS: &str = "caseledger_commands_total";
/// From when a command was taken from the bus until it is answered, in seconds, by `mode`. A histogram.
pub const COMMAND_SECONDS: &str = "caseledger_command_seconds";
/// Commands taken from the bus and not answered: waiting in their lanes, being decided, or on their way to the log. A gauge.
pub const COMMANDS_IN_HAND: &str = "caseledger_commands_in_hand";
/// Queries and replays taken from the bus and not answered. A gauge.
pub const QUERIES_IN_HAND: &str = "caseledger_queries_in_hand";
/// Chains of commands that were decided anew, by `reason`: `lost` (to another writer, on a key, on a place), `unavailable`
/// (something is down), `systemic` (somebody must mend something) or `failed` (for a reason of the command's own). A counter.
pub const COMMAND_RETRIES: &str = "caseledger_command_retries_total";
/// Messages put among the dead letters, by `consumer`. A counter.
pub const PARKED: &str = "caseledger_parked_total";
/// Events that the relay published and JetStream acknowledged. A counter.
pub const RELAY_EVENTS: &str = "caseledger_relay_events_total";
/// Whether this process holds a `lease`: 1 or 0. A gauge.
pub const LEASE_HELD: &str = "caseledger_lease_held";

impl Mode {
    const fn word(self) -> &'static str {
        match self {
            Self::Call | Self::RepeatedCall => "call",
            Self::Durable => "durable",
        }
    }
}

/// A command that waits for its answer. Where it is dropped without one, it counts as `failed`.
#[derive(Debug)]
pub struct InHand {
    command: &'static str,
    mode: Mode,
    since: Instant,
    /// The service that it turned out to be about.
    pub service: Option<ServiceName>,
    outcome: &'static str,
    span: Option<Span>,
}

impl InHand {
    /// Takes a command in hand: `command` is its name in the contract, none where it is not known to be one; `traceparent` what
    /// its sender follows it by.
    pub fn begin(command: Option<&'static str>, mode: Mode, traceparent: Option<&str>) -> Self {
        gauge!(COMMANDS_IN_HAND).increment(1.0);
        let command = command.unwrap_or("none");
        let mut span = Span::begin(format!("handle {command}"), Part::Serving, traceparent);
        if let Some(span) = &mut span {
            span.note("caseledger.mode", mode.word());
        }
        Self {
            command,
            mode,
            since: Instant::now(),
            service: None,
            outcome: "failed",
            span,
        }
    }

    /// The part of its way that leads to the log and back, for as long as that lives; none where it is not followed.
    pub fn appending(&self) -> Option<Span> {
        let span = self.span.as_ref()?;
        Some(span.within("append".to_owned(), Part::Asking))
    }

    /// It is answered so.
    pub fn answered(mut self, status: &CommandStatus) {
        self.outcome = match status {
            CommandStatus::Accepted(_) => "accepted",
            CommandStatus::Rejected { .. } => "rejected",
            CommandStatus::Unavailable => "unavailable",
        };
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        gauge!(COMMANDS_IN_HAND).decrement(1.0);
        let service = self
            .service
            .as_ref()
            .map_or_else(|| "none".to_owned(), ToString::to_string);
        let (command, mode, outcome) = (self.command, self.mode.word(), self.outcome);
        if let Some(span) = &mut self.span {
            span.note("caseledger.outcome", outcome);
            if outcome == "failed" {
                span.failed(outcome);
            }
        }
        counter!(COMMANDS, "service" => service, "command" => command, "mode" => mode, "outcome" => outcome)
            .increment(1);
        histogram!(COMMAND_SECONDS, "mode" => mode).record(self.since.elapsed());
    }
}

/// A query or a replay that waits for its answer.
#[derive(Debug)]
pub struct QueryInHand(());

impl QueryInHand {
    /// Takes one in hand.
    pub fn begin() -> Self {
        gauge!(QUERIES_IN_HAND).increment(1.0);
        Self(())
    }
}

impl Drop for QueryInHand {
    fn drop(&mut self) {
        gauge!(QUERIES_IN_HAND).decrement(1.0);
    }
}

/// Notes that a chain is decided anew.
pub fn retried(reason: &'static str) {
    counter!(COMMAND_RETRIES, "reason" => reason).increment(1);
}

/// Notes that a message was parked.
pub fn parked(consumer: &'static str) {
    counter!(PARKED, "consumer" => consumer).increment(1);
}

/// Notes events that JetStream holds.
pub fn relayed(events: usize) {
    counter!(RELAY_EVENTS).increment(u64::try_from(events).unwrap_or(u64::MAX));
}

/// A lease, held for as long as this lives.
pub struct Held(String);

impl Held {
    /// Says that this process does not hold it, until it does.
    pub fn expected(lease: &str) {
        gauge!(LEASE_HELD, "lease" => lease.to_owned()).set(0.0);
    }

    /// It is held from now on.
    pub fn begin(lease: &str) -> Self {
        gauge!(LEASE_HELD, "lease" => lease.to_owned()).set(1.0);
        Self(lease.to_owned())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        gauge!(LEASE_HELD, "lease" => self.0.clone()).set(0.0);
    }
}
