//! The wire: connect, streams, consume, publish, park what cannot be handled.
//!
//! The only crate that names `async_nats`. The services see the seam [`Bus`], which a simulation implements too;
//! [`NatsBus`] is the real one. A [`Steward`] makes the streams and the clients' consumers; [`accounts`] renders the
//! boundary between clients; [`clients`] is the register of who they are and what each may do. [`BusClient`] stands on the
//! other side of the boundary: it is what any other service would write for itself.
//!
//! Names of subjects and streams come from [`schemas::subjects`]; limits, retries and waits from [`limits`].

pub mod accounts;
mod address;
mod client;
pub mod clients;
mod commands;
mod connection;
mod error;
mod event_stream;
mod held;
pub mod limits;
mod message;
mod nats;
mod parked;
mod seam;
mod streams;
mod unstored;
mod users;

pub use address::NatsAddress;
pub use client::{BusClient, Outgoing};
pub use connection::ConnectionState;
pub use error::BusError;
pub use event_stream::emptied_until;
pub use held::StreamHolds;
pub use message::{
    AckToken, DeadLetter, Delivery, EventMessage, Headers, PublishAck, ReplySubject, Request, StreamEnd, StreamedEvent,
    digest,
};
pub use nats::{CALLS_QUEUE, NatsBus, QUERIES_QUEUE, REPLAYS_QUEUE};
pub use parked::Parked;
pub use seam::{Bus, Deliveries, Events, Generation, PublishAckFuture, Requests};
pub use streams::Steward;
pub use users::{Password, ServicePasswords, ServiceUser};
