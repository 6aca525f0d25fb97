//! The streams, and each client's own consumer: made where they are missing, brought to what they should be where they differ.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{self, AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use futures::{StreamExt, TryStreamExt};
use schemas::subjects::{
    ALL_COMMANDS, ALL_DEADLETTERS, ALL_EVENTS, ALL_FEEDS, ALL_RESULTS, COMMANDS_STREAM, DEADLETTERS_STREAM,
    EVENTS_STREAM, FEEDS_STREAM, RESULTS_STREAM,
};
use schemas::{ClientName, subjects};
use serde::Deserialize;
use serde_json::json;

use crate::address::NatsAddress;
use crate::clients::{Allowed, Client, ClientRegister};
use crate::connection::{Connection, Login, api_fault};
use crate::error::BusError;
use crate::limits;
use crate::users::{Password, ServiceUser};

const MAKING: &str = "make the streams";
/// Not the steward's password, nor anybody's: those are made of 128 random bits or more.
const NOBODYS_PASSWORD: &str = "nobody's";
const SERVING: &str = "make the clients' consumers";

/// Makes and changes streams and clients' consumers.
pub struct Steward {
    pub(crate) connection: Connection,
}

impl Steward {
    /// Connects, and sees that this NATS refuses a wrong password: one without the accounts file in force takes any, and would
    /// look as if all were well.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], [`BusError::Refused`] and [`BusError::Open`].
    pub async fn connect(address: impl Into<NatsAddress>, password: &Password) -> Result<Self, BusError> {
        let address = address.into();
        let connection = Self::connection(&address, password).await?;
        // A server that also takes some without a password says so too, and is not open for that: it gives them a user.
        if !connection.client.server_info().auth_required {
            match Self::connection(&address, &Password::new(NOBODYS_PASSWORD)).await {
                Err(BusError::Refused { .. }) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let doing = format!("connect to NATS as {}", ServiceUser::Steward);
                    return Err(BusError::Open { doing });
                }
            }
        }
        Ok(Self { connection })
    }

    async fn connection(address: &NatsAddress, password: &Password) -> Result<Connection, BusError> {
        let user = ServiceUser::Steward;
        let login = Login {
            user: user.as_str(),
            password,
            inbox_prefix: user.inbox(),
            patient: false,
        };
        Connection::open(address, login, |_| ()).await
    }

    /// Brings every stream to what it should be. What they hold stays. `replicas`: on how many servers of a cluster each is
    /// kept; 1 without a cluster.
    ///
    /// # Errors
    /// [`BusError::Broken`] where NATS has a stream of the same name that can't become ours.
    pub async fn ensure_streams(&self, replicas: usize) -> Result<(), BusError> {
        for config in stream_configs(replicas) {
            let name = config.name.clone();
            let made = self.connection.jetstream.create_or_update_stream(config).await;
            made.map_err(|error| match error.kind() {
                async_nats::jetstream::context::CreateStreamErrorKind::TimedOut => self
                    .connection
                    .silence(MAKING, &format!("$JS.API.STREAM.CREATE.{name}")),
                async_nats::jetstream::context::CreateStreamErrorKind::JetStream(error) => {
                    api_fault(MAKING, &name, &error)
                }
                _ => BusError::unavailable(MAKING, error),
            })?;
        }
        Ok(())
    }

    /// Brings each client's consumers to what its entry says, and deletes those of clients that are gone.
    ///
    /// A consumer keeps its place: a client that was away goes on where it was.
    ///
    /// # Errors
    /// [`BusError::StreamMissing`] before [`Steward::ensure_streams`].
    pub async fn ensure_consumers(&self, clients: &ClientRegister) -> Result<(), BusError> {
        for client in clients.iter() {
            self.ensure_consumer(EVENTS_STREAM, client, event_subjects(client))
                .await?;
            if client.has_feed() {
                self.ensure_consumer(FEEDS_STREAM, client, vec![subjects::feed(&client.name, ">")])
                    .await?;
            }
        }
        for stream in [EVENTS_STREAM, FEEDS_STREAM] {
            for name in self.consumers(stream).await? {
                let stays = ClientName::new(name.as_str()).ok().and_then(|name| clients.get(&name));
                if !stays.is_some_and(|client| stream == EVENTS_STREAM || client.has_feed()) {
                    self.delete(stream, &name).await?;
                }
            }
        }
        Ok(())
    }

    async fn ensure_consumer(
        &self,
        stream: &str,
        client: &Client,
        filter_subjects: Vec<String>,
    ) -> Result<(), BusError> {
        let name = client.name.to_string();
        if filter_subjects.is_empty() {
            // No filter would mean everything.
            return self.delete(stream, &name).await;
        }
        let config = consumer::Config {
            durable_name: Some(name.clone()),
            description: Some(format!("what {name} may read")),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: limits::CLIENT_ACK_WAIT,
            max_ack_pending: limits::CLIENT_MAX_ACK_PENDING,
            filter_subjects,
            ..consumer::Config::default()
        };
        let subject = format!("CONSUMER.CREATE.{stream}.{name}");
        let payload = json!({ "stream_name": stream, "config": config });
        let made = self
            .connection
            .api::<consumer::Info>(SERVING, subject, &payload)
            .await?;
        made.map(drop).map_err(|error| api_fault(SERVING, stream, &error))
    }

    async fn consumers(&self, stream: &str) -> Result<Vec<String>, BusError> {
        let stream = self.connection.jetstream.get_stream_no_info(stream).await;
        let stream = stream.map_err(|error| BusError::broken(SERVING, error))?;
        stream
            .consumer_names()
            .boxed()
            .try_collect()
            .await
            .map_err(|error| BusError::unavailable(SERVING, error))
    }

    async fn delete(&self, stream: &str, consumer: &str) -> Result<(), BusError> {
        #[derive(Deserialize)]
        struct Deleted {}
        let subject = format!("CONSUMER.DELETE.{stream}.{consumer}");
        match self.connection.api::<Deleted>(SERVING, subject, &json!({})).await? {
            Err(error) if error.error_code() != ErrorCode::CONSUMER_NOT_FOUND => {
                Err(api_fault(SERVING, stream, &error))
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Steward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Steward").finish_non_exhaustive()
    }
}

fn event_subjects(client: &Client) -> Vec<String> {
    match &client.reads {
        Allowed::All => vec![ALL_EVENTS.to_owned()],
        Allowed::Only(services) => services.iter().map(subjects::events_of).collect(),
    }
}

fn stream_configs(replicas: usize) -> [stream::Config; 5] {
    let base = |name: &str, subject: &str| stream::Config {
        name: name.to_owned(),
        subjects: vec![subject.to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        duplicate_window: limits::DUPLICATE_WINDOW,
        ..stream::Config::default()
    };
    let largest = |bytes: usize| i32::try_from(bytes).unwrap_or(i32::MAX);
    [
        stream::Config {
            retention: RetentionPolicy::WorkQueue,
            // A full queue refuses what is new; nothing that it has taken is dropped.
            discard: DiscardPolicy::New,
            max_bytes: limits::COMMANDS_BACKLOG_BYTES,
            max_message_size: largest(limits::MAX_BODY_BYTES + limits::COMMAND_HEADERS_BYTES),
            ..base(COMMANDS_STREAM, ALL_COMMANDS)
        },
        stream::Config {
            max_age: limits::RESULTS_MAX_AGE,
            max_messages: limits::RESULTS_MAX_MESSAGES,
            ..base(RESULTS_STREAM, ALL_RESULTS)
        },
        base(EVENTS_STREAM, ALL_EVENTS),
        stream::Config {
            max_age: limits::FEEDS_MAX_AGE,
            ..base(FEEDS_STREAM, ALL_FEEDS)
        },
        stream::Config {
            max_age: limits::DEADLETTERS_MAX_AGE,
            ..base(DEADLETTERS_STREAM, ALL_DEADLETTERS)
        },
    ]
}
