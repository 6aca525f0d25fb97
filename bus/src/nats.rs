//! The bus on NATS.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use schemas::subjects::FEEDS_STREAM;
use schemas::{ClientName, CommandId, ServiceName, subjects};
use tokio::sync::watch;

use crate::address::NatsAddress;
use crate::commands;
use crate::connection::{Board, Connection, ConnectionState, Login, api_fault, check_size};
use crate::error::BusError;
use crate::event_stream;
use crate::held::{self, StreamHolds};
use crate::limits;
use crate::message::{DeadLetter, Delivery, EventMessage, Headers, ReplySubject, Request, StreamEnd, StreamedEvent};
use crate::seam::{Bus, Deliveries, Events, Generation, PublishAckFuture, Requests};
use crate::users::{ServicePasswords, ServiceUser};

/// Who shares the calls.
pub const CALLS_QUEUE: &str = "command-service";
/// Who shares the queries.
pub const QUERIES_QUEUE: &str = "queries";
/// Who shares the requests for a replay.
pub const REPLAYS_QUEUE: &str = "replays";

/// The bus on NATS: one connection for each user whose password this process was given.
pub struct NatsBus {
    connections: BTreeMap<ServiceUser, Connection>,
    board: Board,
}

impl NatsBus {
    /// Begins to connect as each of these users, and goes on until NATS is there: [`Bus::state`] says when.
    ///
    /// # Errors
    /// [`BusError::Broken`] where the URL is not one, or the CA file can't be used.
    pub async fn connect(address: impl Into<NatsAddress>, passwords: &ServicePasswords) -> Result<Self, BusError> {
        let address = address.into();
        let board = Board::new(passwords.iter().map(|(user, _)| user));
        let mut connections = BTreeMap::new();
        for (user, password) in passwords.iter() {
            let login = Login {
                user: user.as_str(),
                password,
                inbox_prefix: user.inbox(),
                patient: true,
            };
            let heard = board.clone();
            let connection = Connection::open(&address, login, move |stands| heard.note(user, stands)).await?;
            connections.insert(user, connection);
        }
        Ok(Self { connections, board })
    }

    /// The users that this process speaks as.
    pub fn users(&self) -> impl Iterator<Item = ServiceUser> {
        self.connections.keys().copied()
    }

    /// What a stream holds, asked as one of these users; `subjects`: also how many messages on each subject that this pattern
    /// fits. The accounts file lets the relay look at the events; the puller at every stream.
    ///
    /// # Errors
    /// [`BusError::StreamMissing`]; [`BusError::Unavailable`], also where JetStream is switched off; [`BusError::Refused`] where
    /// the accounts file in force does not let this user look.
    pub async fn holds(
        &self,
        user: ServiceUser,
        stream: &str,
        subjects: Option<&str>,
    ) -> Result<StreamHolds, BusError> {
        held::look(self.speaking_as(user)?, stream, subjects).await
    }

    /// The streams that did not take the last message that this process published to them, in the last minute, and why. Where its
    /// disk is full, JetStream may answer every question as if all were well.
    #[must_use]
    pub fn unstored(&self) -> BTreeMap<&'static str, String> {
        let connections = self.connections.values();
        connections.flat_map(|connection| connection.unstored.now()).collect()
    }

    fn speaking_as(&self, user: ServiceUser) -> Result<&Connection, BusError> {
        let missing = || {
            BusError::broken(
                format!("speak as {user}"),
                "this process was not given that user's password",
            )
        };
        self.connections.get(&user).ok_or_else(missing)
    }

    async fn requests(&self, doing: &str, subject: &'static str, queue: &str) -> Result<Requests, BusError> {
        let answerer = self.speaking_as(ServiceUser::Answerer)?;
        let messages = answerer.client.queue_subscribe(subject, queue.to_owned()).await;
        let messages = messages.map_err(|error| BusError::broken(doing, error))?;
        let requests = messages.map(|message| Request {
            subject: message.subject.to_string(),
            headers: headers_of(message.headers.as_ref()),
            body: at_most(message.payload, limits::MAX_BODY_BYTES + 1),
            reply: message.reply.map(|reply| ReplySubject::new(reply.as_str())),
        });
        Ok(requests.boxed())
    }
}

impl std::fmt::Debug for NatsBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsBus")
            .field("users", &self.connections.keys())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Bus for NatsBus {
    async fn calls(&self) -> Result<Requests, BusError> {
        self.requests("take calls", subjects::ALL_CALLS, CALLS_QUEUE).await
    }

    async fn queries(&self) -> Result<Requests, BusError> {
        self.requests("take queries", subjects::ALL_QUERIES, QUERIES_QUEUE)
            .await
    }

    async fn replays(&self) -> Result<Requests, BusError> {
        self.requests("take requests for a replay", subjects::ALL_REPLAYS, REPLAYS_QUEUE)
            .await
    }

    async fn reply(&self, to: &ReplySubject, body: Bytes) -> Result<(), BusError> {
        const DOING: &str = "answer";
        check_size(DOING, &body, limits::MAX_REPLY_BYTES)?;
        let answerer = self.speaking_as(ServiceUser::Answerer)?;
        let sent = answerer.client.publish(to.as_str().to_owned(), body).await;
        sent.map_err(|error| BusError::unavailable(DOING, error))
    }

    async fn take_commands(&self, generation: Generation) -> Result<Deliveries, BusError> {
        let mut state = self.board.watch();
        let connects = state.borrow_and_update().connects;
        let deliveries = commands::take(self.speaking_as(ServiceUser::Puller)?, generation).await?;
        // What was on its way when the line broke comes again only later, and what was sent after it must not overtake it: on a
        // new line the commands are taken anew.
        let line_broke = async move { while state.changed().await.is_ok() && state.borrow().connects == connects {} };
        let broke = BusError::unavailable("take the durable commands", "the connection was made anew");
        let ended = futures::stream::once(std::future::ready(Err(broke)));
        Ok(commands::until_error(
            deliveries.take_until(line_broke).chain(ended).boxed(),
        ))
    }

    async fn ack(&self, delivery: &Delivery) -> Result<(), BusError> {
        let puller = self.speaking_as(ServiceUser::Puller)?;
        let sent = puller
            .client
            .publish(delivery.ack.as_str().to_owned(), Bytes::from_static(b"+ACK"))
            .await;
        sent.map_err(|error| BusError::unavailable("acknowledge a durable command", error))
    }

    async fn publish_result(&self, client: &ClientName, command_id: CommandId, body: Bytes) -> Result<(), BusError> {
        let puller = self.speaking_as(ServiceUser::Puller)?;
        puller
            .store("publish a result", subjects::result(client, command_id), body)
            .await
    }

    async fn publish_to_feed(&self, client: &ClientName, message: &str, body: Bytes) -> Result<(), BusError> {
        let puller = self.speaking_as(ServiceUser::Puller)?;
        puller
            .store("publish to a contractor's feed", subjects::feed(client, message), body)
            .await
    }

    async fn last_of_feed(&self, client: &ClientName) -> Result<Option<Bytes>, BusError> {
        const DOING: &str = "read where a contractor's feed ends";
        let puller = self.speaking_as(ServiceUser::Puller)?;
        let stream = puller.jetstream.get_stream_no_info(FEEDS_STREAM).await;
        let stream = stream.map_err(|error| BusError::broken(DOING, error))?;
        match stream
            .get_last_raw_message_by_subject(&subjects::feed(client, ">"))
            .await
        {
            Ok(message) => Ok(Some(message.payload)),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(None),
                LastRawMessageErrorKind::JetStream(error) => Err(api_fault(DOING, FEEDS_STREAM, &error)),
                _ => Err(BusError::unavailable(DOING, error)),
            },
        }
    }

    async fn dead_letter(&self, consumer: &str, letter: DeadLetter) -> Result<(), BusError> {
        const DOING: &str = "put a dead letter aside";
        let body = serde_json::to_vec(&letter).map_err(|error| BusError::broken(DOING, error))?;
        let puller = self.speaking_as(ServiceUser::Puller)?;
        puller.store(DOING, subjects::deadletter(consumer), body.into()).await
    }

    async fn publish_event(
        &self,
        subject: String,
        body: Bytes,
        expected_last_sequence: u64,
    ) -> Result<PublishAckFuture, BusError> {
        event_stream::publish(
            self.speaking_as(ServiceUser::Relay)?,
            subject,
            body,
            expected_last_sequence,
        )
        .await
    }

    async fn send_event(&self, subject: String, body: Bytes, expected_last_sequence: u64) -> Result<(), BusError> {
        event_stream::send(
            self.speaking_as(ServiceUser::Relay)?,
            subject,
            body,
            expected_last_sequence,
        )
        .await
    }

    async fn last_event(&self) -> Result<StreamEnd, BusError> {
        let reader = self.speaking_as(ServiceUser::Relay);
        event_stream::end(reader.or_else(|_| self.speaking_as(ServiceUser::Puller))?).await
    }

    async fn event_at_sequence(&self, sequence: u64) -> Result<Option<StreamedEvent>, BusError> {
        event_stream::at(self.speaking_as(ServiceUser::Relay)?, sequence).await
    }

    async fn purge_events(&self) -> Result<u64, BusError> {
        event_stream::purge(self.speaking_as(ServiceUser::Relay)?).await
    }

    async fn follow_events(&self, service: Option<&ServiceName>) -> Result<Events, BusError> {
        let follower = self.speaking_as(ServiceUser::Follower)?;
        let subject = service.map_or_else(|| subjects::ALL_EVENTS.to_owned(), subjects::events_of);
        let messages = follower.client.subscribe(subject).await;
        let messages = messages.map_err(|error| BusError::broken("follow events", error))?;
        let events = messages.map(|message| EventMessage {
            subject: message.subject.to_string(),
            body: message.payload,
        });
        Ok(events.boxed())
    }

    fn state(&self) -> watch::Receiver<ConnectionState> {
        self.board.watch()
    }
}

/// A body, cut off where it is longer: enough to see that it is too long, and to hold no more than that.
fn at_most(body: Bytes, bytes: usize) -> Bytes {
    if body.len() <= bytes {
        return body;
    }
    Bytes::copy_from_slice(body.get(..bytes).unwrap_or_default())
}

/// The headers of a message as plain values.
pub(crate) fn headers_of(headers: Option<&HeaderMap>) -> Headers {
    let values = headers.into_iter().flat_map(HeaderMap::iter);
    values
        .filter_map(|(name, values)| Some((name.to_string(), values.last()?.as_str())))
        .collect()
}
