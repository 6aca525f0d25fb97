//! One process's lines to NATS, and what fails on them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bus::limits::{NATS_TIMEOUT, PULL_EXPIRES};
use bus::{
    Bus, BusError, ConnectionState, DeadLetter, Deliveries, Delivery, EventMessage, Events, Generation, PublishAck,
    PublishAckFuture, ReplySubject, Requests, StreamEnd, StreamedEvent,
};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, stream};
use schemas::subjects::EVENTS_STREAM;
use schemas::{ClientName, CommandId, Position, ServiceName};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::events::Stored;
use super::{Asked, Follower, Listener, ModelNats};
use crate::fault::Fault;
use crate::process::Process;

/// How often a line that is down is looked at.
const DOWN_LOOK_EVERY: Duration = Duration::from_millis(50);

/// Whether a line is down, and until when.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing(Arc<Mutex<Option<Instant>>>);

impl Standing {
    pub(super) fn is_up(&self) -> bool {
        let down_until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        down_until.is_none_or(|until| Instant::now() >= until)
    }

    fn go_down(&self, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + time);
    }
}

/// NATS, as one process reaches it.
#[derive(Clone, Debug)]
pub struct ModelBus {
    nats: ModelNats,
    process: Arc<Process>,
    line: Standing,
    state: Arc<watch::Sender<ConnectionState>>,
}

fn unavailable(doing: &str) -> BusError {
    BusError::Unavailable {
        doing: doing.to_owned(),
        reason: "the simulated line broke".to_owned(),
    }
}

impl ModelBus {
    /// The lines from this process to this NATS.
    #[must_use]
    pub fn new(nats: ModelNats, process: Arc<Process>) -> Self {
        let state = ConnectionState {
            connects: 1,
            ..ConnectionState::default()
        };
        Self {
            nats,
            process,
            line: Standing::default(),
            state: Arc::new(watch::Sender::new(state)),
        }
    }

    /// Loses the line for a while, and what is on it.
    pub fn disconnect(&self, time: Duration) {
        self.nats
            .world
            .step(self.process.name(), format_args!("loses its line to NATS for {time:?}"));
        self.line.go_down(time);
        let state = Arc::clone(&self.state);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            state.send_modify(|state| state.connects += 1);
        });
    }

    /// On the way there: whether what is sent arrives.
    async fn sends(&self) -> bool {
        self.process.runs().await;
        self.nats.world.travel().await;
        self.line.is_up()
    }

    /// On the way back.
    async fn hears(&self) {
        self.nats.world.travel().await;
        self.process.runs().await;
    }

    fn step(&self, what: std::fmt::Arguments<'_>) {
        self.nats.world.step(self.process.name(), what);
    }

    async fn requests(&self, of: Asked) -> Requests {
        self.process.runs().await;
        let (requests, arriving) = mpsc::unbounded_channel();
        self.nats.server().listeners.push(Listener {
            of,
            process: Arc::clone(&self.process),
            line: self.line.clone(),
            requests,
        });
        heard(arriving, Arc::clone(&self.process)).boxed()
    }

    /// Has NATS hold something. `keep` does it.
    async fn store(&self, doing: &str, keep: impl FnOnce(&ModelNats)) -> Result<(), BusError> {
        let world = &self.nats.world;
        if !self.sends().await || world.strikes(Fault::StoreLost) {
            tokio::time::sleep(NATS_TIMEOUT).await;
            self.process.runs().await;
            return Err(unavailable(doing));
        }
        keep(&self.nats);
        self.step(format_args!("{doing}"));
        if world.strikes(Fault::StoreUnacknowledged) {
            tokio::time::sleep(NATS_TIMEOUT).await;
            self.process.runs().await;
            return Err(unavailable(doing));
        }
        self.hears().await;
        Ok(())
    }

    /// A question about the event stream.
    async fn ask_stream<T>(&self, doing: &str, answer: impl FnOnce(&mut super::Server) -> T) -> Result<T, BusError> {
        let world = &self.nats.world;
        if !self.sends().await || world.strikes(Fault::StreamUnanswered) {
            tokio::time::sleep(NATS_TIMEOUT).await;
            self.process.runs().await;
            return Err(unavailable(doing));
        }
        let answered = {
            let mut server = self.nats.server();
            match server.events.is_gone() {
                true => Err(stream_missing()),
                false => Ok(answer(&mut server)),
            }
        };
        self.step(format_args!("{doing}"));
        // The answer may be lost when what was asked for is done.
        if world.strikes(Fault::StreamUnanswered) {
            tokio::time::sleep(NATS_TIMEOUT).await;
            self.process.runs().await;
            return Err(unavailable(doing));
        }
        self.hears().await;
        answered
    }

    fn tell_followers(&self, subject: &str, body: &Bytes) {
        let world = &self.nats.world;
        let mut server = self.nats.server();
        server.followers.retain(|follower| follower.process.is_alive());
        for follower in &server.followers {
            let wanted = |service: &ServiceName| subject.starts_with(&format!("caseledger.event.{service}."));
            let deaf = !follower.of.as_ref().is_none_or(wanted) || !follower.line.is_up();
            if deaf || world.strikes(Fault::LiveWithheld) {
                continue;
            }
            let message = EventMessage {
                subject: subject.to_owned(),
                body: body.clone(),
            };
            let times = if world.strikes(Fault::LiveDoubled) { 2 } else { 1 };
            for _ in 0..times {
                let (events, message) = (follower.events.clone(), message.clone());
                if world.strikes(Fault::LiveLate) {
                    let late = world.between(Duration::from_millis(1), Duration::from_secs(3));
                    tokio::spawn(async move {
                        tokio::time::sleep(late).await;
                        let _ = events.send(message);
                    });
                } else {
                    let _ = events.send(message);
                }
            }
        }
    }
}

fn stream_missing() -> BusError {
    BusError::StreamMissing {
        stream: EVENTS_STREAM.to_owned(),
    }
}

/// What arrives, while its process runs.
fn heard<T: Send + 'static>(
    arriving: mpsc::UnboundedReceiver<T>,
    process: Arc<Process>,
) -> impl futures::Stream<Item = T> + Send {
    stream::unfold((arriving, process), async |(mut arriving, process)| {
        let item = arriving.recv().await;
        process.runs().await;
        // The server drops nobody who has not gone.
        let item = match item {
            Some(item) => item,
            None => std::future::pending().await,
        };
        Some((item, (arriving, process)))
    })
}

fn position_of(body: &[u8]) -> Position {
    #[derive(Deserialize)]
    struct Positioned {
        position: String,
    }
    let read = serde_json::from_slice::<Positioned>(body);
    Position(read.ok().and_then(|read| read.position.parse().ok()).unwrap_or(-1))
}

#[async_trait]
impl Bus for ModelBus {
    async fn calls(&self) -> Result<Requests, BusError> {
        Ok(self.requests(Asked::Call).await)
    }

    async fn queries(&self) -> Result<Requests, BusError> {
        Ok(self.requests(Asked::Query).await)
    }

    async fn replays(&self) -> Result<Requests, BusError> {
        Ok(self.requests(Asked::Replay).await)
    }

    async fn reply(&self, to: &ReplySubject, body: Bytes) -> Result<(), BusError> {
        self.process.runs().await;
        let world = &self.nats.world;
        self.nats.witness.told(world, self.process.name(), &body);
        self.step(format_args!("answers {}", to.as_str()));
        world.travel().await;
        if self.line.is_up() && !world.strikes(Fault::ReplyLost) {
            // The first answer is taken, and nobody waits for another.
            if let Some(waiting) = self.nats.server().waiting.remove(to.as_str()) {
                let _ = waiting.send(body);
            }
        }
        Ok(())
    }

    async fn take_commands(&self, generation: Generation) -> Result<Deliveries, BusError> {
        const DOING: &str = "take the durable commands";
        let connects = self.state.borrow().connects;
        if !self.sends().await || self.nats.world.strikes(Fault::StreamUnanswered) {
            tokio::time::sleep(NATS_TIMEOUT).await;
            self.process.runs().await;
            return Err(unavailable(DOING));
        }
        let consumer = self.nats.server().commands.take(generation);
        self.step(format_args!("{DOING}, as {generation:?}: {consumer:?}"));
        self.nats.commands_changed.change();
        self.hears().await;
        let consumer = consumer.ok_or(BusError::Superseded)?;
        let deliveries = stream::unfold(Some(self.clone()), move |bus| async move {
            let bus = bus?;
            let next = bus.next_delivery(consumer, connects).await;
            let rest = next.is_ok().then_some(bus);
            Some((next, rest))
        });
        Ok(deliveries.boxed())
    }

    async fn ack(&self, delivery: &Delivery) -> Result<(), BusError> {
        if self.sends().await && !self.nats.world.strikes(Fault::AckLost) {
            self.nats.server().commands.ack(&delivery.ack);
            self.step(format_args!(
                "acknowledges durable command {}",
                delivery.stream_sequence
            ));
        }
        self.process.runs().await;
        Ok(())
    }

    async fn publish_result(&self, client: &ClientName, command_id: CommandId, body: Bytes) -> Result<(), BusError> {
        self.process.runs().await;
        self.nats.witness.told(&self.nats.world, self.process.name(), &body);
        let keep = |nats: &ModelNats| {
            let mut server = nats.server();
            let results = server.results.entry((client.clone(), command_id)).or_default();
            results.push(body);
            drop(server);
            nats.results_changed.change();
        };
        self.store("publish a result", keep).await
    }

    async fn publish_to_feed(&self, client: &ClientName, _: &str, body: Bytes) -> Result<(), BusError> {
        let keep = |nats: &ModelNats| nats.server().feeds.entry(client.clone()).or_default().push(body);
        self.store("publish to a contractor's feed", keep).await
    }

    async fn last_of_feed(&self, client: &ClientName) -> Result<Option<Bytes>, BusError> {
        self.process.runs().await;
        Ok((self.nats.server().feeds.get(client)).and_then(|feed| feed.last().cloned()))
    }

    async fn dead_letter(&self, _: &str, letter: DeadLetter) -> Result<(), BusError> {
        let keep = |nats: &ModelNats| nats.server().letters.push(letter);
        self.store("put a dead letter aside", keep).await
    }

    async fn publish_event(
        &self,
        subject: String,
        body: Bytes,
        expected_last_sequence: u64,
    ) -> Result<PublishAckFuture, BusError> {
        const DOING: &str = "publish an event";
        let world = Arc::clone(&self.nats.world);
        let lost = || async {
            tokio::time::sleep(NATS_TIMEOUT).await;
            Err(unavailable(DOING))
        };
        if !self.sends().await || world.strikes(Fault::EventLost) {
            return Ok(lost().boxed());
        }
        let position = position_of(&body);
        let (next, stored) = {
            let events = &mut self.nats.server().events;
            let next = events.next_positions();
            (
                next,
                events.store(subject.clone(), body.clone(), position, expected_last_sequence),
            )
        };
        let sequence = match stored {
            Stored::As(sequence) => sequence,
            Stored::NoStream => return Ok(std::future::ready(Err(stream_missing())).boxed()),
            Stored::Elsewhere => {
                self.step(format_args!("publishes position {position}: refused by the fence"));
                let expected = expected_last_sequence;
                return Ok(std::future::ready(Err(BusError::WrongLastSequence { expected })).boxed());
            }
        };
        self.step(format_args!("publishes position {position} as sequence {sequence}"));
        self.nats
            .witness
            .published(&world, self.process.name(), next, position, &body);
        self.tell_followers(&subject, &body);
        if world.strikes(Fault::EventUnacknowledged) {
            return Ok(lost().boxed());
        }
        let this = self.clone();
        let acknowledged = async move {
            this.hears().await;
            match this.line.is_up() {
                true => Ok(PublishAck { sequence }),
                false => Err(unavailable(DOING)),
            }
        };
        Ok(acknowledged.boxed())
    }

    async fn send_event(&self, subject: String, body: Bytes, expected_last_sequence: u64) -> Result<(), BusError> {
        let unheard = self.publish_event(subject, body, expected_last_sequence).await?;
        drop(unheard);
        Ok(())
    }

    async fn last_event(&self) -> Result<StreamEnd, BusError> {
        self.ask_stream("read where the event stream ends", |server| server.events.end())
            .await
    }

    async fn event_at_sequence(&self, sequence: u64) -> Result<Option<StreamedEvent>, BusError> {
        self.ask_stream("read an event of the stream", |server| server.events.at(sequence))
            .await
    }

    async fn purge_events(&self) -> Result<u64, BusError> {
        self.process.runs().await;
        let now = self.nats.world.now();
        self.ask_stream("empty the event stream", |server| server.events.purge(now))
            .await
    }

    async fn follow_events(&self, service: Option<&ServiceName>) -> Result<Events, BusError> {
        self.process.runs().await;
        let (events, arriving) = mpsc::unbounded_channel();
        self.nats.server().followers.push(Follower {
            of: service.cloned(),
            process: Arc::clone(&self.process),
            line: self.line.clone(),
            events,
        });
        Ok(heard(arriving, Arc::clone(&self.process)).boxed())
    }

    fn state(&self) -> watch::Receiver<ConnectionState> {
        self.state.subscribe()
    }
}

impl ModelBus {
    /// The next durable command for this consumer, over the connection that was there when it was made.
    async fn next_delivery(&self, consumer: u64, connects: u64) -> Result<Delivery, BusError> {
        const DOING: &str = "take the durable commands";
        let (changed, mut seen) = (&self.nats.commands_changed, self.nats.commands_changed.changes());
        let mut state = self.state.subscribe();
        loop {
            self.process.runs().await;
            if state.borrow_and_update().connects != connects {
                return Err(unavailable(DOING));
            }
            let late = {
                let commands = &mut self.nats.server().commands;
                if !commands.is_taken_by(consumer) {
                    return Err(BusError::Superseded);
                }
                let next = if self.line.is_up() { commands.next() } else { None };
                if let Some(delivery) = next {
                    if self.nats.world.strikes(Fault::DeliveryDoubled) {
                        commands.forget_delivery(delivery.stream_sequence);
                    }
                    self.step(format_args!("is given durable command {}", delivery.stream_sequence));
                    return Ok(delivery);
                }
                commands.next_late()
            };
            // On a line that is down nothing is given, however late it is.
            let patience = Instant::now()
                + if self.line.is_up() {
                    PULL_EXPIRES
                } else {
                    DOWN_LOOK_EVERY
                };
            let look_at = late
                .filter(|_| self.line.is_up())
                .map_or(patience, |late| late.min(patience));
            tokio::select! {
                biased;
                _ = state.changed() => {}
                () = changed.changed(&mut seen) => {}
                () = tokio::time::sleep_until(look_at) => {}
            }
        }
    }
}
