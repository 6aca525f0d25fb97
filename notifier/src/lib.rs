//! Tells people what happened to their request.
//!
//! ```text
//! log ── Follower ──> notifier.deliveries ── Dispatcher ──> mail server
//!                          │
//!                          └── Registrar ──> RecordNotification ──> the case
//! ```
//!
//! [`Follower`] takes each event in, in one transaction with its position: what it says of customers and cases, and the
//! deliveries that the catalogue asks for. [`Dispatcher`] sends what is due: only then is a sealed name, address or reason
//! opened, and only for as long as the attempt takes. [`Registrar`] tells the case how each delivery ended, by a command; a
//! notice that reached nobody becomes `NotificationFailed` there, where an officer sees it. Several notifiers share one
//! database.
//!
//! Promised: one delivery for each event, recipient and medium; at least one attempt; every attempt under the same
//! Message-ID and date. Not promised: that an email arrives once (where the mail server's answer, or this process, is lost after
//! it took the email, it gets the same one again), or that it is read.
//!
//! A notifier that starts, or that could not follow the log for a while, sends nothing until it has read what the log held then:
//! whoever withdrew the consent or changed the address meanwhile is treated so.
//!
//! Nobody is told of what happened before the cut-over, nobody by email who withdrew the consent to [`EMAIL_CONSENT`], and
//! nobody whose keys are destroyed. Except for what is older than the cut-over, each such notice is a delivery too, which
//! fails and is told to its case.
//!
//! # How it is put together and run
//!
//! 1. [`migrate`], as the owner of the database, after the migrations of vault, event store and projections. The first
//!    run's `now` is the cut-over.
//! 2. Logins: `caseledger_notifier` for the `pool` of [`Notifier`], [`Dispatcher`] and [`Registrar`] (the same pool),
//!    `caseledger_vault` for the [`Vault`](vault::Vault), `caseledger_feed` for the ledger. One login may have all three
//!    roles and one pool may serve all; then it needs [`Notifier::CONNECTIONS`] connections or more.
//! 3. A [`Sender`], whose [`domain`](Sender::domain) is the [`Follower`]'s too; a [`Transport`]: [`Transport::folder`] in
//!    `dev`, [`Transport::smtp`] elsewhere.
//! 4. A [`DeliveryRecorder`] that sends each [`DeliveryRecord`] as a call of `RecordNotification` on the bus: the
//!    record's `command_id` as the id, `case_id` as the subject, `correlation_id`, `caused_by` as the causation id, and
//!    `data` to the byte. The bus client that it calls as is the `client` of [`Follower`] and [`Registrar`]; the client
//!    register must let it send `RecordNotification` for every service as a system.
//! 5. [`Notifier::run`] with the ledger, the events heard on the bus (any stream of them, even one that yields nothing),
//!    and a receiver that turns true to end it. Its sender must outlive the run. What it returns needs a person; what
//!    passes by itself it waits for, so it may start before Postgres and NATS answer.

pub mod backoff;
mod delivery;
mod error;
mod feed;
mod follow;
pub mod measured;
mod message;
mod migrate;
mod record;
mod recording;
mod send;
mod service;
mod table;
mod transport;

pub use delivery::{AppointmentOf, Delivery, DeliveryState, MessageId};
pub use error::NotifierError;
pub use follow::{EMAIL_CONSENT, Follower};
pub use message::Sender;
pub use migrate::migrate;
pub use record::{DeliveryRecord, DeliveryRecorder, NoAnswer};
pub use recording::Registrar;
pub use send::Dispatcher;
pub use service::{Environment, Notifier};
pub use transport::{Email, Folder, Smtp, Transport, Undelivered};
