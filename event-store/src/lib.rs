//! The record: an append-only log of events in Postgres, in one order. Only this crate touches the log's tables, and it knows
//! personal values only in their sealed form.
//!
//! - [`Ledger`] is the seam: append, read a stream, read the log. [`PgLedger`] is the log in Postgres.
//! - [`Appender`] stands in front of it and commits what many callers hand in as one batch.
//! - [`Subscription`] follows the log: it catches up, then takes live events, and hands them to a [`Consumer`] in position
//!   order without a gap.
//! - [`Pages`] read the log in order, one page ahead.
//! - [`Leases`] say who alone may do something for a while; [`HeadNews`] wakes when something was appended.
//! - [`Snapshot`] is the log of one moment, as it is stored, for whoever audits it.
//! - [`LedgerEventStore`] lets a `cqrs_es::CqrsFramework` run on the log.
//!
//! What holds: a position is commit order, contiguous from 1, so that a reader that has seen N needs only what is after N.
//! Nothing recorded is ever changed or deleted. The same command id never acts twice.

mod appender;
mod cqrs;
mod error;
mod feeds;
mod lease;
mod ledger;
mod listener;
pub mod measured;
mod migrate;
mod pace;
mod pages;
mod postgres;
mod snapshot;
mod subscription;
mod timetable;
mod traced;

pub use appender::{Appender, MOST_BYTES_PER_BATCH, MOST_COMMANDS_PER_BATCH, MOST_WAITING_CALLS, Stretch};
pub use cqrs::{COMMAND_ID, LedgerEventStore, Provenance};
pub use error::{LedgerError, Reason, is_passing};
pub use feeds::{Feeds, FeedsHead, ToldEvent};
pub use lease::{LONGEST_LEASE_WAIT, LeaseGrant, Leases, PgLeases};
pub use ledger::{
    Append, ExternalRef, Head, HeadNews, Ledger, NewEvent, Outcome, PlaceChange, Receipt, ReceiptStatus, StoredEvent,
    Verdict,
};
pub use migrate::migrate;
pub use pages::Pages;
pub use postgres::{LONGEST_WAIT, PgLedger};
pub use snapshot::Snapshot;
pub use subscription::{Consumer, ConsumerError, MOST_EVENTS_PER_BATCH, POLL_EVERY, Subscription, SubscriptionError};
pub use timetable::{ClockingEvent, DueItem, Timetable, TimetableChange, TimetableHead};
pub use traced::span_each;
