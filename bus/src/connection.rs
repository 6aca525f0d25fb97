//! One connection to NATS: made, kept up, and its complaints told once in plain words.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{Error as ApiError, ErrorCode};
use async_nats::{ClientError, ConnectOptions, Event, RequestErrorKind, ServerError};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::address::NatsAddress;
use crate::error::BusError;
use crate::limits;
use crate::unstored::Unstored;
use crate::users::{Password, ServiceUser};

/// Which connections stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionState {
    /// The users without a connection.
    pub down: BTreeSet<ServiceUser>,
    /// How many connections were made, of all users and since the start. It grows with each reconnect.
    pub connects: u64,
}

impl ConnectionState {
    /// Whether all connections stand.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.down.is_empty()
    }
}

/// A connection of one user.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: async_nats::jetstream::Context,
    user: Arc<str>,
    denials: Arc<Denials>,
    /// What JetStream did not take of this user.
    pub(crate) unstored: Arc<Unstored>,
}

/// As whom to connect.
pub(crate) struct Login<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a Password,
    pub(crate) inbox_prefix: String,
    /// Whether to go on trying where NATS is not there yet.
    pub(crate) patient: bool,
}

impl Connection {
    /// Connects, and stays connected for as long as the process lives. `heard` is told of each connection made (`true`)
    /// and lost (`false`).
    pub(crate) async fn open(
        address: &NatsAddress,
        login: Login<'_>,
        heard: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self, BusError> {
        address.check()?;
        let servers = address.servers()?;
        let user: Arc<str> = login.user.into();
        let denials = Arc::new(Denials::default());
        let listener = Arc::new(Listener {
            user: user.clone(),
            denials: denials.clone(),
            complained: AtomicBool::new(false),
            heard,
        });
        let mut attempts = 1;
        let client = loop {
            let heard_by = Arc::clone(&listener);
            let mut options =
                ConnectOptions::with_user_and_password(login.user.to_owned(), login.password.reveal().to_owned())
                    .name(format!("caseledger {user}"))
                    .custom_inbox_prefix(login.inbox_prefix.clone())
                    .max_reconnects(None)
                    .reconnect_delay_callback(reconnect_delay)
                    .request_timeout(Some(limits::NATS_TIMEOUT))
                    .subscription_capacity(limits::SUBSCRIPTION_CAPACITY)
                    .event_callback(move |event| {
                        heard_by.hear(&event);
                        std::future::ready(())
                    });
            if login.patient {
                options = options.retry_on_initial_connect();
            }
            if let Some(ca_file) = address.ca_file() {
                options = options.require_tls(true).add_root_certificates(ca_file.to_owned());
            }
            let refused = match options.connect(servers.as_slice()).await {
                Ok(client) => break client,
                Err(error) => refused_login(&user, &error),
            };
            // A server that is reading its accounts anew breaks off who connects in that moment.
            if attempts == limits::CONNECT_ATTEMPTS || !refused.is_transient() {
                return Err(refused);
            }
            tokio::time::sleep(reconnect_delay(attempts)).await;
            attempts += 1;
        };
        let jetstream = ContextBuilder::new()
            .timeout(limits::NATS_TIMEOUT)
            .max_ack_inflight(limits::EVENTS_IN_FLIGHT)
            .build(client.clone());
        Ok(Self {
            client,
            jetstream,
            user,
            denials,
            unstored: Arc::default(),
        })
    }

    /// What a time-out means: a denied publish looks like one.
    pub(crate) fn silence(&self, doing: &str, subject: &str) -> BusError {
        if self.denials.contains(subject) {
            let reason = format!("no right to publish {subject}");
            return BusError::Refused {
                doing: doing.to_owned(),
                user: self.user.to_string(),
                reason,
            };
        }
        BusError::unavailable(doing, "no answer in time")
    }

    /// Asks on a subject, and waits for the one answer.
    pub(crate) async fn request(
        &self,
        doing: &str,
        subject: String,
        request: async_nats::Request,
    ) -> Result<async_nats::Message, BusError> {
        let sent = self.client.send_request(subject.clone(), request).await;
        sent.map_err(|error| match error.kind() {
            RequestErrorKind::TimedOut => self.silence(doing, &subject),
            RequestErrorKind::NoResponders => BusError::unavailable(doing, "nobody answers there"),
            RequestErrorKind::InvalidSubject => BusError::broken(doing, "the subject is not one"),
            RequestErrorKind::MaxPayloadExceeded => too_large_for_the_server(doing),
            RequestErrorKind::Other => BusError::unavailable(doing, error),
        })
    }

    /// Asks JetStream's API, below `$JS.API.`.
    ///
    /// The inner error is JetStream's own; [`api_fault`] says what it means where the caller expects none.
    pub(crate) async fn api<V: DeserializeOwned>(
        &self,
        doing: &str,
        subject: String,
        payload: &impl Serialize,
    ) -> Result<Result<V, ApiError>, BusError> {
        use async_nats::jetstream::context::RequestErrorKind;
        let response = self
            .jetstream
            .request(subject.clone(), payload)
            .await
            .map_err(|error| match error.kind() {
                RequestErrorKind::TimedOut => self.silence(doing, &format!("$JS.API.{subject}")),
                RequestErrorKind::NoResponders => BusError::unavailable(doing, "JetStream is not there"),
                _ => BusError::unavailable(doing, error),
            })?;
        Ok(match response {
            Response::Ok(value) => Ok(value),
            Response::Err { error } => Err(error),
        })
    }

    /// Publishes a message that JetStream is to hold, and waits until it does.
    pub(crate) async fn store(&self, doing: &str, subject: String, body: Bytes) -> Result<(), BusError> {
        check_size(doing, &body, limits::MAX_REPLY_BYTES)?;
        let acknowledged = match self.jetstream.publish(subject.clone(), body).await {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        let stored = acknowledged
            .map(drop)
            .map_err(|error| self.not_stored(doing, &subject, &error));
        self.unstored.note(&subject, &stored);
        stored
    }

    /// Why JetStream does not hold a message.
    pub(crate) fn not_stored(&self, doing: &str, subject: &str, error: &PublishError) -> BusError {
        match error.kind() {
            PublishErrorKind::TimedOut => self.silence(doing, subject),
            // Nobody answered, which is what a stream without a leader looks like, too. Who asks for the stream is told if it is not
            // there.
            PublishErrorKind::StreamNotFound => BusError::unavailable(
                doing,
                format!("no stream takes {subject}: it is not there, or its servers elect a leader"),
            ),
            PublishErrorKind::MaxPayloadExceeded => too_large_for_the_server(doing),
            _ => BusError::unavailable(doing, error),
        }
    }
}

/// Its `max_payload` is below what may be sent.
pub(crate) fn too_large_for_the_server(doing: &str) -> BusError {
    BusError::broken(doing, "the message is larger than nats-server takes")
}

/// What an error of JetStream's API means for who did not expect it.
pub(crate) fn api_fault(doing: &str, stream: &str, error: &ApiError) -> BusError {
    match error.error_code() {
        ErrorCode::STREAM_NOT_FOUND => BusError::StreamMissing {
            stream: stream.to_owned(),
        },
        _ if error.code() >= 500 => BusError::unavailable(doing, error),
        _ => BusError::broken(doing, error),
    }
}

/// Refuses a body over the limit, before it is sent.
pub(crate) fn check_size(doing: &str, body: &[u8], limit: usize) -> Result<(), BusError> {
    let bytes = body.len();
    if bytes > limit {
        return Err(BusError::TooLarge {
            doing: doing.to_owned(),
            bytes,
            limit,
        });
    }
    Ok(())
}

fn refused_login(user: &str, error: &async_nats::ConnectError) -> BusError {
    use async_nats::ConnectErrorKind;
    let doing = format!("connect to NATS as {user}");
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => BusError::Refused {
            doing,
            user: user.to_owned(),
            reason: "unknown user or wrong password".to_owned(),
        },
        ConnectErrorKind::ServerParse => BusError::broken(doing, "the URL of NATS is not one"),
        _ => BusError::unavailable(doing, error),
    }
}

fn reconnect_delay(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    limits::RECONNECT_FIRST
        .saturating_mul(1 << doublings)
        .min(limits::RECONNECT_LONGEST)
}

/// The subjects that NATS denied to this user. The one who published is told nothing and only sees a time-out.
#[derive(Default)]
struct Denials(Mutex<BTreeSet<String>>);

impl Denials {
    /// Remembers a subject. Says whether it is new, so that each is logged once.
    fn remember(&self, subject: &str) -> bool {
        let mut subjects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        subjects.len() < limits::DENIALS_REMEMBERED && subjects.insert(subject.to_owned())
    }

    fn contains(&self, subject: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(subject)
    }
}

/// Hears what the connection tells.
struct Listener<F> {
    user: Arc<str>,
    denials: Arc<Denials>,
    /// Whether this outage was logged.
    complained: AtomicBool,
    heard: F,
}

impl<F: Fn(bool)> Listener<F> {
    fn hear(&self, event: &Event) {
        let user = &*self.user;
        match event {
            Event::Connected => {
                self.complained.store(false, Ordering::Relaxed);
                tracing::info!(user, "connected to NATS");
                (self.heard)(true);
            }
            Event::Disconnected | Event::Closed => {
                self.complain("the connection to NATS is lost; trying again until it stands");
                (self.heard)(false);
            }
            Event::ServerError(ServerError::AuthorizationViolation) => {
                self.complain(
                    "NATS refuses this user: check its password, and that the accounts file in force names it",
                );
            }
            Event::ServerError(ServerError::Other(text)) if is_denial(text) => {
                let subject = quoted(text).unwrap_or_default();
                if self.denials.remember(subject) {
                    tracing::error!(
                        user,
                        subject,
                        "NATS denies this user this subject: the accounts file does not fit this version"
                    );
                }
            }
            Event::ServerError(error) => tracing::warn!(user, %error, "NATS reports a fault of this connection"),
            Event::ClientError(ClientError::Other(reason)) => {
                if !self.complained.swap(true, Ordering::Relaxed) {
                    tracing::warn!(user, reason, "NATS can't be reached; trying again until it can");
                }
            }
            Event::ClientError(error) => tracing::warn!(user, %error, "the connection to NATS reports a fault"),
            Event::SlowConsumer(_) => {
                tracing::warn!(
                    user,
                    "messages came faster than they were handled, and some were dropped"
                );
            }
            Event::LameDuckMode | Event::Draining => {
                tracing::info!(user, %event, "NATS is about to close the connection")
            }
        }
    }

    /// Logs the first word of an outage only.
    fn complain(&self, sentence: &'static str) {
        if !self.complained.swap(true, Ordering::Relaxed) {
            tracing::warn!(user = &*self.user, "{sentence}");
        }
    }
}

fn is_denial(text: &str) -> bool {
    text.to_ascii_lowercase().starts_with("permissions violation")
}

/// The subject in `Permissions Violation for Publish to "a.b"`.
fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

/// What the connections of a process report to, one for all of them.
#[derive(Clone)]
pub(crate) struct Board(Arc<watch::Sender<ConnectionState>>);

impl Board {
    pub(crate) fn new(users: impl IntoIterator<Item = ServiceUser>) -> Self {
        let state = ConnectionState {
            down: users.into_iter().collect(),
            connects: 0,
        };
        Self(Arc::new(watch::Sender::new(state)))
    }

    pub(crate) fn note(&self, user: ServiceUser, stands: bool) {
        self.0.send_modify(|state| {
            if stands {
                state.down.remove(&user);
                state.connects += 1;
            } else {
                state.down.insert(user);
            }
        });
    }

    pub(crate) fn watch(&self) -> watch::Receiver<ConnectionState> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_of_a_denial_is_found() {
        let text = r#"Permissions Violation for Publish to "caseledger.event.waste.case.RequestSubmitted""#;
        assert!(is_denial(text));
        assert_eq!(quoted(text), Some("caseledger.event.waste.case.RequestSubmitted"));
    }

    #[test]
    fn the_waits_between_attempts_double_up_to_the_longest() {
        assert_eq!(reconnect_delay(1), limits::RECONNECT_FIRST);
        assert_eq!(reconnect_delay(2), limits::RECONNECT_FIRST * 2);
        assert_eq!(reconnect_delay(usize::MAX), limits::RECONNECT_LONGEST);
    }

    #[test]
    fn the_board_says_who_is_down_and_counts_connects() {
        let board = Board::new([ServiceUser::Relay, ServiceUser::Puller]);
        board.note(ServiceUser::Relay, true);
        assert!(!board.watch().borrow().is_up());
        board.note(ServiceUser::Puller, true);
        board.note(ServiceUser::Relay, false);
        board.note(ServiceUser::Relay, true);
        let state = board.watch().borrow().clone();
        assert_eq!((state.is_up(), state.connects), (true, 3));
    }
}
