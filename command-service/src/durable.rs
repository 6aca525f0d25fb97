//! Durable commands: one command-service at a time takes them from the bus, in the order sent. Each is acknowledged when its
//! result is published, and not before.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::{Bus, BusError, DeadLetter, Delivery, Generation};
use bytes::Bytes;
use event_store::LeaseGrant;
use futures::StreamExt;
use schemas::result::{CommandResult, CommandStatus};
use schemas::subjects::Addressed;
use schemas::{ClientName, CommandId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vault::Vault;

use crate::handler::{Handler, backoff, not_handled};
use crate::intake::{Admitted, Refused};
use crate::measured::{self, InHand};
use crate::task::{Mode, put_aside, whole};

/// The name of the lease that the taker of durable commands holds.
pub const LEASE: &str = "durable-commands";

/// The consumer's name, in dead letters.
pub const CONSUMER: &str = "command-service";

/// Why a command is put aside that nobody else can be blamed for.
const FAILED: &str = "the service failed on it";

/// For how long a result that NATS does not take is published again: with the last attempt, less than the time after which the bus brings
/// its command again (`bus::limits::COMMANDS_ACK_WAIT`).
const PUBLISHED_WITHIN: Duration = Duration::from_secs(30);

/// What taking durable commands needs.
pub struct DurableCommands {
    /// The wire.
    pub bus: Arc<dyn Bus>,
    /// Who decides.
    pub handler: Arc<Handler>,
    /// Seals what is parked.
    pub vault: Arc<Vault>,
    /// The commands in hand: the bus delivers anew what waits for long, and once is enough.
    pub in_hand: Mutex<HashSet<InHandKey>>,
}

/// What a delivery is known by: its place in the stream, and its content, since a stream that was wiped counts from the beginning.
pub type InHandKey = (u64, String);

fn key(delivery: &Delivery) -> InHandKey {
    (delivery.stream_sequence, bus::digest(&delivery.body))
}

impl DurableCommands {
    /// Takes commands while the lease is held.
    ///
    /// # Errors
    /// What ended it: the bus is down, or another has taken over. Acquire the lease and call again.
    pub async fn take(self: &Arc<Self>, grant: LeaseGrant, ended: CancellationToken) -> Result<(), BusError> {
        let mut deliveries = self.bus.take_commands(Generation(grant.token)).await?;
        loop {
            let delivery = tokio::select! {
                biased;
                () = ended.cancelled() => return Ok(()),
                delivery = deliveries.next() => delivery,
            };
            let Some(delivery) = delivery.transpose()? else {
                return Ok(());
            };
            self.handle(delivery);
        }
    }

    /// Puts the command into its lane before the next is taken, so that the order holds; what follows runs beside.
    fn handle(self: &Arc<Self>, delivery: Delivery) {
        if !self.in_hand().insert(key(&delivery)) {
            return;
        }
        let this = Arc::clone(self);
        match self.admit(&delivery) {
            Ok(admitted) => {
                let client = admitted.client.name.clone();
                let result = self.handler.submit(admitted, Mode::Durable);
                tokio::spawn(async move {
                    match result.await {
                        Ok(result) => {
                            let parked = put_aside(&result);
                            this.conclude(&delivery, Some((&client, result)), parked).await;
                        }
                        Err(_) => this.give_up(&delivery).await,
                    }
                });
            }
            Err(refused) => {
                let unreadable = refused.unreadable.then(|| refused.problem.detail.clone());
                let in_hand = InHand::begin(None, Mode::Durable, refused.traceparent());
                tokio::spawn(async move { this.refuse(&delivery, refused, unreadable, Some(in_hand)).await });
            }
        }
    }

    fn admit(&self, delivery: &Delivery) -> Result<Admitted, Refused> {
        let now = self.handler.environment().now();
        let header = |name: &str| delivery.headers.get(name);
        self.handler
            .registers()
            .admit(&delivery.subject, header, &delivery.body, now)
    }

    fn in_hand(&self) -> std::sync::MutexGuard<'_, HashSet<InHandKey>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service failed on a command for a reason of the command's own: that is recorded, told, and the command put aside.
    async fn give_up(&self, delivery: &Delivery) {
        let refused = match self.admit(delivery) {
            Ok(Admitted { client, envelope, .. }) => Refused {
                id: Some(envelope.id),
                problem: not_handled(),
                unreadable: false,
                asked: Some(Box::new((client, envelope))),
            },
            Err(refused) => refused,
        };
        self.refuse(delivery, refused, Some(FAILED.to_owned()), None).await;
    }

    /// Refuses a command, and puts it among the dead letters where there is a reason to. `in_hand` counts it where no lane did.
    async fn refuse(&self, delivery: &Delivery, refused: Refused, parked: Option<String>, in_hand: Option<InHand>) {
        let id = refused.id;
        let refusal = self.handler.refuse(refused, Mode::Durable).await;
        if let (Some(in_hand), Some(result)) = (in_hand, &refusal) {
            in_hand.answered(&result.status);
        }
        let (result, parked) = match refusal {
            Some(result) => (id.map(|_| result), parked),
            None => (
                id.map(|id| CommandResult::rejected(id, not_handled())),
                Some(FAILED.to_owned()),
            ),
        };
        let sender = Addressed::read(&delivery.subject);
        let told = sender
            .as_ref()
            .zip(result)
            .map(|(sender, result)| (&sender.client, result));
        self.conclude(delivery, told, parked.as_deref()).await;
    }

    /// Publishes the result, parks what must be parked, then acknowledges. Where one of them fails for good the command stays with
    /// the bus and comes again: by then its result is recorded.
    async fn conclude(&self, delivery: &Delivery, told: Option<(&ClientName, CommandResult)>, parked: Option<&str>) {
        let concluded = self.try_conclude(delivery, told, parked).await;
        self.in_hand().remove(&key(delivery));
        if let Err(error) = concluded {
            tracing::warn!(%error, sequence = delivery.stream_sequence, "a durable command stays on the bus and will come again");
        }
    }

    async fn try_conclude(
        &self,
        delivery: &Delivery,
        told: Option<(&ClientName, CommandResult)>,
        parked: Option<&str>,
    ) -> Result<(), BusError> {
        if let Some(reason) = parked {
            let message = whole(|name| delivery.headers.get(name), &delivery.body);
            let sealed = self.vault.seal_letter(&message).ok();
            self.bus
                .dead_letter(CONSUMER, DeadLetter::new(delivery, reason, sealed))
                .await?;
            measured::parked(CONSUMER);
            tracing::warn!(
                reason,
                sequence = delivery.stream_sequence,
                "a durable command was put among the dead letters"
            );
        }
        match told {
            // Not known to be recorded: never published as a durable result.
            Some((
                _,
                CommandResult {
                    status: CommandStatus::Unavailable,
                    ..
                },
            )) => return Ok(()),
            Some((client, result)) => {
                let body = Bytes::from(serde_json::to_vec(&result).unwrap_or_default());
                self.publish_result(client, result.command_id, body).await?;
            }
            None => {}
        }
        self.bus.ack(delivery).await
    }

    /// Publishes a result, and again where NATS does not take it at this moment: its servers may be electing a leader, and the bus brings
    /// the command again only much later. A result that is there twice says the same twice.
    async fn publish_result(&self, client: &ClientName, id: CommandId, body: Bytes) -> Result<(), BusError> {
        let until = Instant::now() + PUBLISHED_WITHIN;
        let mut attempts = 0;
        loop {
            match self.bus.publish_result(client, id, body.clone()).await {
                Err(error) if error.is_transient() && Instant::now() < until => attempts += 1,
                published => return published,
            }
            tokio::time::sleep(backoff(attempts)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use bus::{AckToken, Headers};

    use super::*;

    fn delivery(stream_sequence: u64, body: &'static str) -> Delivery {
        Delivery {
            subject: "caseledger.command.website.UpdateRequest".to_owned(),
            headers: Headers::default(),
            body: Bytes::from_static(body.as_bytes()),
            stream_sequence,
            delivered_count: 1,
            ack: AckToken::new("ack"),
        }
    }

    /// Found by the simulation (seed 57615 of its draws at that time): the result of the third command of a stream that was wiped was still
    /// being published, so that the third of the new stream was passed over, and the fourth overtook it.
    #[test]
    fn the_same_place_in_a_stream_that_was_wiped_is_another_command() {
        assert_eq!(key(&delivery(3, "{}")), key(&delivery(3, "{}")));
        assert_ne!(key(&delivery(3, "{}")), key(&delivery(3, "[]")));
        assert_ne!(key(&delivery(3, "{}")), key(&delivery(4, "{}")));
    }
}
