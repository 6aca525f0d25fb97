//! The bus, at which a process may end.

use std::sync::Arc;

use async_trait::async_trait;
use bus::{
    Bus, BusError, ConnectionState, DeadLetter, Deliveries, Delivery, Events, Generation, PublishAckFuture,
    ReplySubject, Requests, StreamEnd, StreamedEvent,
};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use schemas::{ClientName, CommandId, ServiceName};
use tokio::sync::watch;

use super::{End, KillPoint};

/// Passes everything on, and ends at a point of the bus where that was asked for.
pub struct EndingBus {
    inner: Arc<dyn Bus>,
    end: Arc<End>,
}

impl EndingBus {
    pub fn new(inner: Arc<dyn Bus>, end: Arc<End>) -> Self {
        Self { inner, end }
    }
}

#[async_trait]
impl Bus for EndingBus {
    async fn calls(&self) -> Result<Requests, BusError> {
        let end = Arc::clone(&self.end);
        let calls = self.inner.calls().await?;
        Ok(calls.inspect(move |_| end.reached(KillPoint::AfterPull)).boxed())
    }

    async fn queries(&self) -> Result<Requests, BusError> {
        self.inner.queries().await
    }

    async fn replays(&self) -> Result<Requests, BusError> {
        self.inner.replays().await
    }

    async fn reply(&self, to: &ReplySubject, body: Bytes) -> Result<(), BusError> {
        let replied = self.inner.reply(to, body).await;
        self.end.reached(KillPoint::AfterAnswer);
        replied
    }

    async fn take_commands(&self, generation: Generation) -> Result<Deliveries, BusError> {
        let end = Arc::clone(&self.end);
        let deliveries = self.inner.take_commands(generation).await?;
        Ok(deliveries.inspect(move |_| end.reached(KillPoint::AfterPull)).boxed())
    }

    async fn ack(&self, delivery: &Delivery) -> Result<(), BusError> {
        let acknowledged = self.inner.ack(delivery).await;
        self.end.reached(KillPoint::AfterAck);
        acknowledged
    }

    async fn publish_result(&self, client: &ClientName, command_id: CommandId, body: Bytes) -> Result<(), BusError> {
        let published = self.inner.publish_result(client, command_id, body).await;
        self.end.reached(KillPoint::AfterAnswer);
        published
    }

    async fn publish_to_feed(&self, client: &ClientName, message: &str, body: Bytes) -> Result<(), BusError> {
        self.inner.publish_to_feed(client, message, body).await
    }

    async fn last_of_feed(&self, client: &ClientName) -> Result<Option<Bytes>, BusError> {
        self.inner.last_of_feed(client).await
    }

    async fn dead_letter(&self, consumer: &str, letter: DeadLetter) -> Result<(), BusError> {
        self.inner.dead_letter(consumer, letter).await
    }

    async fn publish_event(
        &self,
        subject: String,
        body: Bytes,
        expected_last_sequence: u64,
    ) -> Result<PublishAckFuture, BusError> {
        self.end.reached(KillPoint::BeforePublish);
        let publishing = self.inner.publish_event(subject, body, expected_last_sequence).await;
        self.end.reached(KillPoint::AfterPublish);
        let end = Arc::clone(&self.end);
        Ok(publishing?
            .inspect(move |_| end.reached(KillPoint::AfterPubAck))
            .boxed())
    }

    async fn send_event(&self, subject: String, body: Bytes, expected_last_sequence: u64) -> Result<(), BusError> {
        self.end.reached(KillPoint::BeforePublish);
        let sent = self.inner.send_event(subject, body, expected_last_sequence).await;
        self.end.reached(KillPoint::AfterPublish);
        sent
    }

    async fn last_event(&self) -> Result<StreamEnd, BusError> {
        self.inner.last_event().await
    }

    async fn event_at_sequence(&self, sequence: u64) -> Result<Option<StreamedEvent>, BusError> {
        self.inner.event_at_sequence(sequence).await
    }

    async fn purge_events(&self) -> Result<u64, BusError> {
        self.inner.purge_events().await
    }

    async fn follow_events(&self, service: Option<&ServiceName>) -> Result<Events, BusError> {
        self.inner.follow_events(service).await
    }

    fn state(&self) -> watch::Receiver<ConnectionState> {
        self.inner.state()
    }
}
