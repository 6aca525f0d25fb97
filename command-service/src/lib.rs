//! Takes commands from the bus, checks and seals them, runs the domain, appends, answers; and relays the log to the bus.
//!
//! The way of a command: [`intake`] reads it and checks the sender's rights (what it refuses, `refusal` answers); its lane keeps the order within one stream; the
//! handler decides what waits there as a chain, seals each command's personal values before the domain sees them, and appends the
//! chain in one commit with those of other lanes; only then each is answered. What lost (to another writer, on a key) is decided
//! anew from the open command.
//!
//! [`CommandService`] puts it together for calls, durable commands, queries and replays; [`Relay`] publishes the log. As many
//! copies of each may run as wanted: the log decides between writers, and a lease in Postgres chooses who takes durable commands
//! and who relays.

mod beside;
mod cache;
mod calls;
mod durable;
mod environment;
mod fault;
mod feeds;
mod files;
mod handler;
mod held;
pub mod intake;
mod lanes;
pub mod measured;
pub mod officers;
mod prepare;
mod published;
mod queries;
mod references;
mod refusal;
pub mod relay;
mod rolled_back;
mod service;
mod share;
mod slots;
mod streams;
mod task;
mod timekeeper;

pub use calls::{CALLS_IN_FLIGHT_MAX, QUERIES_IN_FLIGHT_MAX};
pub use durable::CONSUMER;
pub use environment::{Environment, Machine};
pub use files::{KeepError, SWEPT_AFTER, keep_files};
pub use held::{LEASE_ASKED_EVERY, LEASE_KEPT, LEASE_RENEWED_EVERY};
pub use intake::Registers;
pub use published::{Published, published};
pub use relay::{Relay, RelayError, refill};
pub use rolled_back::RolledBack;
pub use service::{CommandService, Parts, ServiceError, Tables};
pub use share::{CALLS_IN_FLIGHT_PER_CLIENT_MAX, CALLS_PER_SECOND_PER_CLIENT};
