//! A client's side of the model: it calls and sends as [`bus::BusClient`] does, with the same waits.

use std::time::Duration;

use bus::limits::{CALL_TIMEOUT, RESEND_PAUSE, RESULT_WAIT};
use bus::{Headers, Outgoing, ReplySubject, Request};
use bytes::Bytes;
use schemas::envelope::{REPEATED, REPEATED_TRUE, STRUCTURED};
use schemas::query::ResultQuery;
use schemas::result::{CommandResult, CommandStatus};
use schemas::{ClientName, subjects};
use tokio::sync::oneshot;

use super::{Asked, ModelNats};
use crate::fault::Fault;

/// A client on the bus.
#[derive(Clone, Debug)]
pub struct ModelClient {
    nats: ModelNats,
    name: ClientName,
}

impl ModelClient {
    /// A client of this name.
    #[must_use]
    pub const fn new(nats: ModelNats, name: ClientName) -> Self {
        Self { nats, name }
    }

    /// Who it is.
    #[must_use]
    pub const fn name(&self) -> &ClientName {
        &self.name
    }

    /// A command as this client writes it; none where its data is no JSON.
    #[must_use]
    pub fn message(&self, command: &Outgoing) -> Option<Bytes> {
        command.envelope(&self.name).write().ok().map(Bytes::from)
    }

    /// Calls a command once: the answer's body, if one comes.
    pub async fn call(&self, command: &str, body: Bytes) -> Option<Bytes> {
        self.request(Asked::Call, subjects::call(&self.name, command), structured(), body)
            .await
    }

    async fn call_again(&self, command: &str, body: Bytes) -> Option<Bytes> {
        let mut headers = structured();
        headers.insert(REPEATED, REPEATED_TRUE);
        self.request(Asked::Call, subjects::call(&self.name, command), headers, body)
            .await
    }

    /// Calls a command again and again until its result is known.
    pub async fn call_until_known(&self, command: &str, body: Bytes) -> CommandResult {
        let mut answer = self.call(command, body.clone()).await;
        loop {
            if let Some(result) = known(answer) {
                return result;
            }
            tokio::time::sleep(RESEND_PAUSE).await;
            answer = self.call_again(command, body.clone()).await;
        }
    }

    /// Has NATS hold a durable command once. Whether it is known to.
    pub async fn store(&self, command: &str, body: Bytes) -> bool {
        let world = &self.nats.world;
        world.travel().await;
        if world.strikes(Fault::RequestLost) {
            tokio::time::sleep(CALL_TIMEOUT).await;
            return false;
        }
        let headers = structured();
        let subject = subjects::command(&self.name, command);
        {
            let commands = &mut self.nats.server().commands;
            let sequence = commands.store(subject, headers, body);
            world.step(self.name.as_str(), format_args!("sends {command} durably: {sequence}"));
            if world.strikes(Fault::CommandLost) {
                commands.lose(sequence);
            }
        }
        self.nats.commands_changed.change();
        if world.strikes(Fault::CommandUnacknowledged) {
            tokio::time::sleep(CALL_TIMEOUT).await;
            return false;
        }
        world.travel().await;
        true
    }

    /// Sends a command durably, and repeats it until its result is known. `stored`, where it was sent once already: then it is
    /// sent again only when its result does not come. Gives how often it was sent here, too.
    pub async fn send(&self, command: &Outgoing, body: Bytes, stored: bool) -> (CommandResult, u64) {
        let (results, mut seen) = (&self.nats.results_changed, self.nats.results_changed.changes());
        let key = (self.name.clone(), command.id);
        let held = || {
            let server = self.nats.server();
            server.results.get(&key).map_or(0, Vec::len)
        };
        // A result that was published before somebody listened is not heard of.
        let mut heard = if stored { 0 } else { held() };
        let (mut stored, mut times) = (stored, 0);
        loop {
            if !stored {
                times += 1;
                stored = self.store(&command.name, body.clone()).await;
            }
            if std::mem::take(&mut stored) {
                let deadline = tokio::time::Instant::now() + RESULT_WAIT;
                while held() == heard
                    && tokio::time::timeout_at(deadline, results.changed(&mut seen))
                        .await
                        .is_ok()
                {}
                let first = (self.nats.server().results.get(&key)).and_then(|results| results.get(heard).cloned());
                heard = held();
                if let Some(first) = first
                    && !self.nats.world.strikes(Fault::ReplyLost)
                    && let Some(result) = known(Some(first))
                {
                    return (result, times);
                }
            } else {
                tokio::time::sleep(RESEND_PAUSE).await;
            }
            if let Some(result) = known(self.result(command).await) {
                return (result, times);
            }
        }
    }

    /// Asks for the recorded result of a command: the answer's body, if one comes.
    pub async fn result(&self, command: &Outgoing) -> Option<Bytes> {
        let query = ResultQuery { command_id: command.id };
        let body = serde_json::to_vec(&query).ok()?;
        self.request(
            Asked::Query,
            subjects::query(&self.name, "Result"),
            structured(),
            body.into(),
        )
        .await
    }

    /// Asks for a page of events: the answer's body, if one comes.
    pub async fn replay(&self, body: Bytes) -> Option<Bytes> {
        self.request(Asked::Replay, subjects::replay(&self.name), structured(), body)
            .await
    }

    async fn request(&self, of: Asked, subject: String, headers: Headers, body: Bytes) -> Option<Bytes> {
        let world = &self.nats.world;
        world.travel().await;
        if world.strikes(Fault::RequestLost) {
            tokio::time::sleep(CALL_TIMEOUT).await;
            return None;
        }
        let (waiting, answer) = oneshot::channel();
        let reply = {
            let mut server = self.nats.server();
            server.asked += 1;
            let reply = format!("{} {}", self.name, server.asked);
            server.waiting.insert(reply.clone(), waiting);
            reply
        };
        let request = Request {
            subject,
            headers,
            body,
            reply: Some(ReplySubject::new(reply.clone())),
        };
        world.step(self.name.as_str(), format_args!("asks on {}", request.subject));
        if world.strikes(Fault::RequestLate) {
            let nats = self.nats.clone();
            let late = world.between(Duration::ZERO, CALL_TIMEOUT * 2);
            tokio::spawn(async move {
                tokio::time::sleep(late).await;
                nats.hand_over(of, request);
            });
        } else if !self.nats.hand_over(of, request) {
            // Nobody listens: NATS says so.
            self.nats.server().waiting.remove(&reply);
            return None;
        }
        let answer = tokio::time::timeout(CALL_TIMEOUT, answer).await;
        self.nats.server().waiting.remove(&reply);
        world.travel().await;
        answer.ok()?.ok()
    }
}

impl ModelNats {
    /// Gives a request to one of those who take such; whether there is one.
    fn hand_over(&self, of: Asked, request: Request) -> bool {
        let mut server = self.server();
        server.listeners.retain(|listener| listener.process.is_alive());
        let there: Vec<_> = server
            .listeners
            .iter()
            .filter(|listener| listener.of == of && listener.line.is_up())
            .map(|listener| listener.requests.clone())
            .collect();
        drop(server);
        self.world
            .one_of(&there)
            .is_some_and(|listener| listener.send(request).is_ok())
    }
}

/// The headers of a structured message.
fn structured() -> Headers {
    [("content-type", STRUCTURED)].into_iter().collect()
}

/// The result in an answer, where it says what became of the command.
fn known(answer: Option<Bytes>) -> Option<CommandResult> {
    let result: CommandResult = serde_json::from_slice(&answer?).ok()?;
    (result.status != CommandStatus::Unavailable).then_some(result)
}
