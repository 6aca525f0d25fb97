//! A client's side of the bus: what any other service would write for itself, in its own language.

use async_nats::HeaderMap;
use bytes::Bytes;
use futures::StreamExt;
use schemas::envelope::{CommandEnvelope, REPEATED, REPEATED_TRUE, STRUCTURED};
use schemas::moment::Instant;
use schemas::query::{
    CaseAnswer, CaseQuery, EntitlementAnswer, EntitlementQuery, ReplayRequest, ResultQuery, SlotsAnswer, SlotsQuery,
};
use schemas::result::{CommandResult, CommandStatus};
use schemas::{AggregateId, ClientName, CommandId, subjects};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::address::NatsAddress;
use crate::connection::{Connection, Login, check_size};
use crate::error::BusError;
use crate::limits;
use crate::users::Password;

const CALLING: &str = "call a command";
const SENDING: &str = "send a durable command";
const ASKING: &str = "ask a query";

/// A command on its way out.
#[derive(Clone)]
pub struct Outgoing {
    /// The idempotency key: keep it until the result is there.
    pub id: CommandId,
    /// The command's name.
    pub name: String,
    /// The stream that it speaks to, where there is one already.
    pub subject: Option<AggregateId>,
    /// When it was made.
    pub time: Instant,
    /// What it belongs to.
    pub correlation_id: Option<String>,
    /// What caused it.
    pub causation_id: Option<String>,
    /// Its data, JSON.
    pub data: String,
}

/// Prints no data: it is full of people.
impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A client's connection.
#[derive(Clone)]
pub struct BusClient {
    name: ClientName,
    connection: Connection,
}

impl Outgoing {
    /// A command by itself: part of nothing else, and caused by no other message.
    #[must_use]
    pub fn new(
        id: CommandId,
        name: impl Into<String>,
        subject: Option<AggregateId>,
        time: Instant,
        data: impl Into<String>,
    ) -> Self {
        Self {
            id,
            name: name.into(),
            subject,
            time,
            correlation_id: None,
            causation_id: None,
            data: data.into(),
        }
    }

    /// The envelope that it is sent in, as this client.
    #[must_use]
    pub fn envelope(&self, client: &ClientName) -> CommandEnvelope {
        CommandEnvelope {
            id: self.id,
            command_type: format!("caseledger.{}.v1", self.name),
            name: self.name.clone(),
            source: format!("/clients/{client}"),
            subject: self.subject,
            time: Some(self.time),
            correlation_id: self.correlation_id.clone(),
            causation_id: self.causation_id.clone(),
            traceparent: None,
            data: self.data.clone(),
        }
    }
}

impl std::fmt::Debug for BusClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BusClient")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl BusClient {
    /// Connects as a client.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] and [`BusError::Refused`].
    pub async fn connect(
        address: impl Into<NatsAddress>,
        name: &ClientName,
        password: &Password,
    ) -> Result<Self, BusError> {
        Self::open(&address.into(), name, password, false).await
    }

    /// Begins to connect, and goes on until NATS is there: for a service that must outlast it.
    ///
    /// # Errors
    /// [`BusError::Broken`] where the URL is not one, or the CA file can't be used.
    pub async fn connect_patiently(
        address: impl Into<NatsAddress>,
        name: &ClientName,
        password: &Password,
    ) -> Result<Self, BusError> {
        Self::open(&address.into(), name, password, true).await
    }

    async fn open(
        address: &NatsAddress,
        name: &ClientName,
        password: &Password,
        patient: bool,
    ) -> Result<Self, BusError> {
        let login = Login {
            user: name.as_str(),
            password,
            inbox_prefix: "_INBOX".to_owned(),
            patient,
        };
        Ok(Self {
            name: name.clone(),
            connection: Connection::open(address, login, |_| ()).await?,
        })
    }

    /// Who this is.
    #[must_use]
    pub const fn name(&self) -> &ClientName {
        &self.name
    }

    /// Whether its connection stands at this moment.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connection.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Calls a command once.
    ///
    /// # Errors
    /// [`BusError::Unavailable`]: not known to be recorded; repeat it with the same id.
    pub async fn call(&self, command: &Outgoing) -> Result<CommandResult, BusError> {
        self.call_once(command, false).await
    }

    /// Calls a command once that was called before, unanswered. A rejection is recorded now, so that whichever copy is still on its
    /// way has the same result.
    ///
    /// # Errors
    /// As of [`BusClient::call`].
    pub async fn call_again(&self, command: &Outgoing) -> Result<CommandResult, BusError> {
        self.call_once(command, true).await
    }

    async fn call_once(&self, command: &Outgoing, repeated: bool) -> Result<CommandResult, BusError> {
        let (subject, body) = (
            subjects::call(&self.name, &command.name),
            self.message(CALLING, command)?,
        );
        let mut headers = structured();
        if repeated {
            headers.insert(REPEATED, REPEATED_TRUE);
        }
        read(CALLING, &self.request(CALLING, subject, headers, body).await?)
    }

    /// Calls a command again and again, with the same id, until its result is known. It never gives up by itself. From the second time
    /// on a rejection is recorded, so that no copy that is still on its way comes to another result than the one told here. (What is rejected
    /// the first time was sent once only.)
    ///
    /// # Errors
    /// What a repeat can't mend.
    pub async fn call_until_known(&self, command: &Outgoing) -> Result<CommandResult, BusError> {
        if let Some(result) = known(self.call(command).await)? {
            return Ok(result);
        }
        tokio::time::sleep(limits::RESEND_PAUSE).await;
        self.call_again_until_known(command).await
    }

    /// The same for a command that was called before, unanswered.
    ///
    /// # Errors
    /// What a repeat can't mend.
    pub async fn call_again_until_known(&self, command: &Outgoing) -> Result<CommandResult, BusError> {
        loop {
            if let Some(result) = known(self.call_again(command).await)? {
                return Ok(result);
            }
            tokio::time::sleep(limits::RESEND_PAUSE).await;
        }
    }

    /// The same for a sender whose ids are the same whenever it runs, and who mends what was rejected, as an import does: no repeat is
    /// marked, and no rejection recorded. A copy that was still on its way may be accepted after the rejection was told.
    ///
    /// # Errors
    /// What a repeat can't mend.
    pub async fn call_unmarked_until_known(&self, command: &Outgoing) -> Result<CommandResult, BusError> {
        loop {
            if let Some(result) = known(self.call(command).await)? {
                return Ok(result);
            }
            tokio::time::sleep(limits::RESEND_PAUSE).await;
        }
    }

    /// Sends a command durably, and repeats it with the same id until its result is there. It never gives up by itself.
    ///
    /// That NATS holds the command is not enough: NATS may lose it. The command counts when its result arrives.
    ///
    /// # Errors
    /// What a repeat can't mend.
    pub async fn send(&self, command: &Outgoing) -> Result<CommandResult, BusError> {
        let results = self
            .connection
            .client
            .subscribe(subjects::result(&self.name, command.id))
            .await;
        let mut results = results.map_err(|error| BusError::broken(SENDING, error))?;
        let (subject, body) = (
            subjects::command(&self.name, &command.name),
            self.message(SENDING, command)?,
        );
        loop {
            let sent = self.request(SENDING, subject.clone(), structured(), body.clone()).await;
            match sent.and_then(|ack| acknowledged(&ack)) {
                Ok(()) => {
                    if let Ok(Some(message)) = tokio::time::timeout(limits::RESULT_WAIT, results.next()).await {
                        return read(SENDING, &message.payload);
                    }
                }
                Err(error) if error.is_transient() => {
                    tracing::debug!(%error, "a durable command is sent again");
                    tokio::time::sleep(limits::RESEND_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
            // It may have been published while the connection was away.
            match self.result(command.id).await {
                Ok(result) if result.status != CommandStatus::Unavailable => return Ok(result),
                Err(error) if !error.is_transient() => return Err(error),
                _ => {}
            }
        }
    }

    /// Asks for the recorded result of a command.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn result(&self, command_id: CommandId) -> Result<CommandResult, BusError> {
        self.query("Result", &ResultQuery { command_id }).await
    }

    /// Asks for a case.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn case(&self, query: &CaseQuery) -> Result<CaseAnswer, BusError> {
        self.query("Case", query).await
    }

    /// Asks for an entitlement.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn entitlement(&self, query: &EntitlementQuery) -> Result<EntitlementAnswer, BusError> {
        self.query("Entitlement", query).await
    }

    /// Asks which slots have places left.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn slots(&self, query: &SlotsQuery) -> Result<SlotsAnswer, BusError> {
        self.query("Slots", query).await
    }

    /// Asks for a page of events: the answer's JSON text.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn replay(&self, request: &ReplayRequest) -> Result<String, BusError> {
        let body = write(ASKING, request)?;
        let answer = self
            .request(ASKING, subjects::replay(&self.name), structured(), body)
            .await?;
        String::from_utf8(answer.to_vec()).map_err(|error| BusError::broken(ASKING, error))
    }

    async fn query<A: DeserializeOwned>(&self, name: &str, question: &impl Serialize) -> Result<A, BusError> {
        let answer = self
            .request(
                ASKING,
                subjects::query(&self.name, name),
                structured(),
                write(ASKING, question)?,
            )
            .await?;
        read(ASKING, &answer)
    }

    fn message(&self, doing: &str, command: &Outgoing) -> Result<Bytes, BusError> {
        let envelope = command.envelope(&self.name);
        let body = Bytes::from(envelope.write().map_err(|error| BusError::broken(doing, error))?);
        check_size(doing, &body, limits::MAX_BODY_BYTES)?;
        Ok(body)
    }

    async fn request(&self, doing: &str, subject: String, headers: HeaderMap, body: Bytes) -> Result<Bytes, BusError> {
        let request = async_nats::Request::new()
            .payload(body)
            .headers(headers)
            .timeout(Some(limits::CALL_TIMEOUT));
        self.connection
            .request(doing, subject, request)
            .await
            .map(|message| message.payload)
    }
}

/// The headers of a structured message.
fn structured() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", STRUCTURED);
    headers
}

/// What became of a command that was called; none where it is to be called again.
fn known(called: Result<CommandResult, BusError>) -> Result<Option<CommandResult>, BusError> {
    match called {
        Ok(result) => Ok((result.status != CommandStatus::Unavailable).then_some(result)),
        Err(error) if error.is_transient() => {
            tracing::debug!(%error, "a command is called again");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether JetStream holds what was published.
fn acknowledged(ack: &[u8]) -> Result<(), BusError> {
    #[derive(serde::Deserialize)]
    struct Ack {
        error: Option<Refusal>,
    }
    #[derive(serde::Deserialize)]
    struct Refusal {
        description: String,
    }
    match read::<Ack>(SENDING, ack)?.error {
        None => Ok(()),
        Some(refusal) => Err(BusError::unavailable(SENDING, refusal.description)),
    }
}

fn read<A: DeserializeOwned>(doing: &str, answer: &[u8]) -> Result<A, BusError> {
    serde_json::from_slice(answer)
        .map_err(|error| BusError::broken(doing, format!("the answer can't be read: {error}")))
}

fn write(doing: &str, question: &impl Serialize) -> Result<Bytes, BusError> {
    serde_json::to_vec(question)
        .map(Bytes::from)
        .map_err(|error| BusError::broken(doing, error))
}
