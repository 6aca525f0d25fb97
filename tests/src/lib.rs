//! The harness of the system tests: real servers and real processes, started, cut off and killed.
//!
//! One PostgreSQL serves all tests of a process, each in a database of its own ([`database`]); each test that needs a
//! bus starts its own nats-server ([`nats`]), and each that stops a PostgreSQL its own one too ([`TestPostgres`]).
//! Whatever a test starts ends with it, and with the test process, however that ends.
//!
//! A server may be used from several tests, a pool or connection only from the one that made it: every
//! `#[tokio::test]` has a runtime of its own.

// A harness fails the test that called it by panicking; each message says what did not happen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

pub mod council;
mod disk;
mod eventually;
mod nats;
mod page;
mod postgres;
mod process;
mod proxy;
mod traffic;
pub mod witness;

pub use council::Council;
pub use disk::SmallDisk;
pub use eventually::{Condition, eventually};
pub use nats::{NatsCluster, TestNats, nats, nats_in};
pub use page::page;
pub use postgres::{PreloadedPostgres, Standby, TestDatabase, TestPostgres, database, database_bare};
pub use process::Process;
pub use proxy::Proxy;
pub use traffic::{Traffic, Way};
pub use witness::{Running, Witness};
