//! Who sends commands: a client that repeats each with the same id until it is answered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::Outgoing;
use bytes::Bytes;
use schemas::moment::Instant;
use schemas::result::{CommandResult, CommandStatus};
use schemas::{AggregateId, ClientName, CommandId};
use serde_json::{Value, json};

use crate::bus::ModelClient;
use crate::council::Council;
use crate::witness::{Asked, Sent, Witness};
use crate::world::World;

/// The streams that the senders of a run speak to: few, so that they get in each other's way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(Arc<Mutex<Streams>>);

#[derive(Debug, Default)]
struct Streams {
    cases: Vec<AggregateId>,
    customers: Vec<AggregateId>,
    external: u64,
    groups: u64,
}

impl Board {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everybody who was registered.
    pub(crate) fn customers(&self) -> Vec<AggregateId> {
        self.streams().customers.clone()
    }
}

/// One sender. Several may use one client's name.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    client: ModelClient,
    world: Arc<World>,
    witness: Arc<Witness>,
    board: Board,
}

/// A command, ready to be sent.
struct Ready {
    outgoing: Outgoing,
    body: Bytes,
}

impl Sender {
    pub(crate) fn new(council: &Council, name: ClientName, board: Board) -> Self {
        Self {
            client: ModelClient::new(council.nats.clone(), name),
            world: Arc::clone(&council.world),
            witness: Arc::clone(&council.nats.witness),
            board,
        }
    }

    /// Sends so many times whatever it comes to.
    pub(crate) async fn run(self, times: u64) {
        for _ in 0..times {
            let pause = self.world.between(Duration::ZERO, Duration::from_secs(3));
            tokio::time::sleep(pause).await;
            match self.world.below(100) {
                0..20 => self.submit().await,
                20..28 => self.register().await,
                28..36 => self.change_details().await,
                36..56 => self.update().await,
                56..66 => self.decide().await,
                66..76 => self.two_at_once().await,
                76..88 => self.several_in_order().await,
                88..92 => self.repeat().await,
                92..96 => self.reuse().await,
                _ => self.unreadable().await,
            }
        }
    }

    fn ready(&self, name: &str, subject: Option<AggregateId>, data: &Value) -> Option<Ready> {
        let outgoing = Outgoing::new(
            CommandId(self.world.uuid()),
            name,
            subject,
            Instant::new(self.world.now()),
            data.to_string(),
        );
        let body = self.client.message(&outgoing)?;
        Some(Ready { outgoing, body })
    }

    fn sending(&self, ready: &Ready, sent: Sent) -> usize {
        self.witness.sending(Asked {
            client: self.client.name().clone(),
            id: ready.outgoing.id,
            name: ready.outgoing.name.clone(),
            subject: ready.outgoing.subject,
            body: ready.body.clone(),
            sent,
            sent_at: self.world.elapsed(),
            answers: Vec::new(),
        })
    }

    fn answered(&self, number: usize, ready: &Ready, result: &CommandResult) {
        let told = match &result.status {
            CommandStatus::Accepted(accepted) => format!("accepted at {}", accepted.position),
            CommandStatus::Rejected { problem } => format!("rejected: {}", problem.code()),
            CommandStatus::Unavailable => "unavailable".to_owned(),
        };
        let (name, id) = (&ready.outgoing.name, ready.outgoing.id);
        self.world
            .step(self.client.name().as_str(), format_args!("{name} {id} is {told}"));
        self.witness.answered(&self.world, number, result);
    }

    /// Sends a command either way, until it is answered. Gives the stream that it is about, where it was accepted.
    async fn carry(&self, name: &str, subject: Option<AggregateId>, data: Value) -> Option<AggregateId> {
        let ready = self.ready(name, subject, &data)?;
        let result = if self.world.below(2) == 0 {
            let number = self.sending(&ready, Sent::Call);
            let result = self.client.call_until_known(name, ready.body.clone()).await;
            self.answered(number, &ready, &result);
            result
        } else {
            let number = self.sending(&ready, Sent::Durable);
            let (result, _) = self.client.send(&ready.outgoing, ready.body.clone(), false).await;
            self.answered(number, &ready, &result);
            result
        };
        match result.status {
            CommandStatus::Accepted(accepted) => Some(accepted.aggregate_id),
            _ => None,
        }
    }

    fn a_case(&self) -> Option<AggregateId> {
        let cases = self.board.streams().cases.clone();
        // The later ones more often.
        let newest = cases.len().saturating_sub(3);
        let among = if self.world.below(4) == 0 {
            &cases[..]
        } else {
            cases.get(newest..).unwrap_or_default()
        };
        self.world.one_of(among).copied()
    }

    async fn submit(&self) {
        let mut data = request();
        if self.world.below(3) == 0 {
            // From a few, so that some are brought twice.
            let number = {
                let mut streams = self.board.streams();
                streams.external += 1;
                streams.external
            };
            let number = number.saturating_sub(self.world.below(3));
            data["external_ref"] = json!({ "system": "crm", "id": number.to_string() });
        }
        let customers = self.board.customers();
        if self.world.below(3) == 0
            && let Some(customer) = self.world.one_of(&customers)
        {
            // What is told is sealed for them, in a stream that is not theirs.
            data["customer_id"] = json!(customer);
        }
        if let Some(case) = self.carry("SubmitRequest", None, data).await {
            self.board.streams().cases.push(case);
        }
    }

    async fn register(&self) {
        let data = json!({
            "name": "Amara Nwosu",
            "phone": "+44 1632 960144",
            "email": "amara.nwosu@example.org",
            "actor": resident(), "channel": "online", "notice_version": "2026-04",
        });
        if let Some(customer) = self.carry("RegisterCustomer", None, data).await {
            self.board.streams().customers.push(customer);
        }
    }

    async fn change_details(&self) {
        let customers = self.board.customers();
        let Some(customer) = self.world.one_of(&customers).copied() else {
            return self.register().await;
        };
        let phone = format!("+44 1632 96{:04}", self.world.below(10_000));
        let data = json!({ "phone": phone, "actor": resident(), "channel": "online" });
        self.carry("UpdateContactDetails", Some(customer), data).await;
    }

    fn an_update(&self) -> Value {
        let description = format!("It is {} metres long", self.world.below(1_000_000));
        json!({ "description": description, "actor": resident(), "channel": "online" })
    }

    async fn update(&self) {
        match self.a_case() {
            Some(case) => drop(self.carry("UpdateRequest", Some(case), self.an_update()).await),
            None => self.submit().await,
        }
    }

    /// An officer closes a case, or somebody has it opened again: each is refused where the case stands otherwise.
    async fn decide(&self) {
        let Some(case) = self.a_case() else {
            return self.submit().await;
        };
        if self.world.below(2) == 0 {
            self.carry("CloseRequest", Some(case), closing()).await;
        } else {
            let data = json!({ "actor": resident(), "channel": "online", "reason": "It is still there." });
            self.carry("ReopenRequest", Some(case), data).await;
        }
    }

    async fn two_at_once(&self) {
        match self.a_case() {
            Some(case) => {
                let (one, other) = (self.an_update(), self.an_update());
                futures::future::join(
                    self.carry("UpdateRequest", Some(case), one),
                    self.carry("UpdateRequest", Some(case), other),
                )
                .await;
            }
            None => self.submit().await,
        }
    }

    /// Durable commands to one case, one after another: they are handled in this order.
    async fn several_in_order(&self) {
        let Some(case) = self.a_case() else {
            return self.submit().await;
        };
        let group = {
            let mut streams = self.board.streams();
            streams.groups += 1;
            streams.groups
        };
        let mut sent = Vec::new();
        for nth in 0..2 + self.world.below(4) {
            let Some(ready) = self.ready("UpdateRequest", Some(case), &self.an_update()) else {
                continue;
            };
            let number = self.sending(&ready, Sent::InOrder(group, nth));
            let stored = self.client.store("UpdateRequest", ready.body.clone()).await;
            sent.push((ready, number, stored));
        }
        let results = sent.iter().map(|(ready, number, stored)| async move {
            let (result, times) = self.client.send(&ready.outgoing, ready.body.clone(), *stored).await;
            if times > 0 || !stored {
                self.witness.sent_twice(*number);
            }
            self.answered(*number, ready, &result);
        });
        futures::future::join_all(results).await;
    }

    /// Something that was accepted before, of this client's: its number and how it was sent.
    fn an_earlier(&self) -> Option<(usize, Asked)> {
        let accepted = |asked: &Asked| {
            let last = asked.answers.last();
            asked.client == *self.client.name()
                && last.is_some_and(|(_, result)| matches!(result.status, CommandStatus::Accepted(_)))
        };
        let asked = self.witness.asked().into_iter().enumerate();
        let earlier: Vec<_> = asked.filter(|(_, asked)| accepted(asked)).collect();
        self.world.one_of(&earlier).cloned()
    }

    /// Sends again what was answered long ago.
    async fn repeat(&self) {
        let Some((number, asked)) = self.an_earlier() else {
            return self.submit().await;
        };
        let result = self.client.call_until_known(&asked.name, asked.body.clone()).await;
        self.witness.answered(&self.world, number, &result);
    }

    /// Sends something else under an id that has been used.
    async fn reuse(&self) {
        let Some((_, asked)) = self.an_earlier() else {
            return self.submit().await;
        };
        let mut other = request();
        other["description"] = json!("Something else");
        let Some(mut ready) = self.ready("SubmitRequest", None, &other) else {
            return;
        };
        ready.outgoing.id = asked.id;
        let Some(body) = self.client.message(&ready.outgoing) else {
            return;
        };
        ready.body = body;
        let number = self.sending(&ready, Sent::Reused);
        let result = self.client.call_until_known("SubmitRequest", ready.body.clone()).await;
        self.answered(number, &ready, &result);
    }

    /// Sends what is no command of ours, but for its id.
    async fn unreadable(&self) {
        let Some(mut ready) = self.ready("SubmitRequest", None, &request()) else {
            return;
        };
        let id = ready.outgoing.id;
        ready.body = Bytes::from(format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"data\":{}}}",
            self.world.below(99)
        ));
        let result = if self.world.below(2) == 0 {
            let number = self.sending(&ready, Sent::UnreadableCall);
            let result = self.client.call_until_known("SubmitRequest", ready.body.clone()).await;
            self.answered(number, &ready, &result);
            return;
        } else {
            let number = self.sending(&ready, Sent::Unreadable);
            let (result, _) = self.client.send(&ready.outgoing, ready.body.clone(), false).await;
            (number, result)
        };
        self.answered(result.0, &ready, &result.1);
    }
}

fn resident() -> Value {
    json!({ "kind": "resident", "assurance": "none" })
}

fn request() -> Value {
    json!({
        "request_type": "obstruction",
        "description": "A skip without lights",
        "actor": resident(), "channel": "online",
    })
}

fn closing() -> Value {
    json!({
        "outcome": "none-needed",
        "decided_by": { "kind": "officer", "id": "m.hughes" },
        "reasons": "It was gone by the time the inspector came.",
        "rule": "highways-policy-2025:1.4",
        "evidence": "The inspector's note of that morning.",
        "actor": { "kind": "officer", "id": "m.hughes", "assurance": "signed_in" },
        "channel": "phone",
    })
}
