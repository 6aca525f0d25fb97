//! The private servers: one PostgreSQL and one nats-server under a data directory of our own.
//!
//! `caseledger dev` and the system tests run on them. They listen on 127.0.0.1 only, on ports that the kernel chose,
//! and end with the process that started them, however it ends: each server is the child of a small watcher
//! (`watcher.sh`) that holds a pipe from us. What a watcher could not end (it was killed too) is found and stopped by the
//! next start on the same data directory, and only that.
//!
//! Everything here blocks; call it through `tokio::task::spawn_blocking` where that matters.

mod account;
mod binaries;
mod cluster;
mod data_dir;
mod error;
mod leftover;
mod log;
mod nats;
mod postgres;
mod standby;
mod watched;

pub use data_dir::DataDir;
pub(crate) use data_dir::{make_directory, random_hex, write_private};
pub use error::ServerError;
pub use nats::{NatsConfig, NatsServer};
pub use postgres::{Durability, PostgresServer};
