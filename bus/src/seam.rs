//! The seam: what the services ask of the bus. A simulation stands behind it as well as NATS.

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use schemas::{ClientName, CommandId, ServiceName};
use tokio::sync::watch;

use crate::connection::ConnectionState;
use crate::error::BusError;
use crate::message::{DeadLetter, Delivery, EventMessage, PublishAck, ReplySubject, Request, StreamEnd, StreamedEvent};

/// Requests as they come. It ends when the process gives its connection up; it survives a NATS that goes and comes back.
pub type Requests = BoxStream<'static, Request>;

/// Durable commands as they come, in the order sent. The first error is the last item: take the commands anew.
pub type Deliveries = BoxStream<'static, Result<Delivery, BusError>>;

/// Events as they are published. What NATS dropped or what came while it was away is missing: the position says so.
pub type Events = BoxStream<'static, EventMessage>;

/// The acknowledgement of an event that is on its way.
pub type PublishAckFuture = BoxFuture<'static, Result<PublishAck, BusError>>;

/// Which lease on the durable commands their taker holds. A later lease has a higher number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub i64);

/// The bus, as the services use it.
///
/// Each method says which NATS user it speaks as. A method of a user that this process was not given is
/// [`BusError::Broken`].
#[async_trait]
pub trait Bus: Send + Sync {
    /// Calls of every client, shared among all command-services (answerer).
    async fn calls(&self) -> Result<Requests, BusError>;

    /// Queries of every client, shared among all that answer them (answerer).
    async fn queries(&self) -> Result<Requests, BusError>;

    /// Requests for a replay of every client, shared among all that answer them (answerer).
    async fn replays(&self) -> Result<Requests, BusError>;

    /// Answers (answerer). That the sender received it is not known.
    async fn reply(&self, to: &ReplySubject, body: Bytes) -> Result<(), BusError>;

    /// Takes the durable commands, as the holder of a lease (puller).
    ///
    /// What an earlier generation had taken and not acknowledged comes again, in the order sent, and nothing is given to
    /// that generation from now on.
    ///
    /// # Errors
    /// [`BusError::Superseded`] where a later generation has them already.
    async fn take_commands(&self, generation: Generation) -> Result<Deliveries, BusError>;

    /// Says that a durable command is handled (puller). NATS may lose the acknowledgement; then the command comes again.
    async fn ack(&self, delivery: &Delivery) -> Result<(), BusError>;

    /// Publishes the result of a durable command, and waits until JetStream holds it (puller).
    async fn publish_result(&self, client: &ClientName, command_id: CommandId, body: Bytes) -> Result<(), BusError>;

    /// Publishes a message of a contractor's feed, and waits until JetStream holds it (puller).
    async fn publish_to_feed(&self, client: &ClientName, message: &str, body: Bytes) -> Result<(), BusError>;

    /// The last message of a contractor's feed that JetStream holds (puller); `None` where it holds none.
    async fn last_of_feed(&self, client: &ClientName) -> Result<Option<Bytes>, BusError>;

    /// Puts a message that `consumer` could not handle aside, and waits until JetStream holds it (puller).
    async fn dead_letter(&self, consumer: &str, letter: DeadLetter) -> Result<(), BusError>;

    /// Sends an event to the stream (relay), in the order of these calls; its acknowledgement comes later.
    ///
    /// `expected_last_sequence` is the fence: the stream's last sequence just before this event.
    ///
    /// # Errors
    /// The future's: [`BusError::WrongLastSequence`] where the stream ends elsewhere: nothing was stored then.
    /// [`BusError::Unavailable`]: not known to be stored.
    async fn publish_event(
        &self,
        subject: String,
        body: Bytes,
        expected_last_sequence: u64,
    ) -> Result<PublishAckFuture, BusError>;

    /// Sends an event to the stream as [`publish_event`](Self::publish_event) does, in one order with its calls, and asks for no
    /// acknowledgement: the fence makes that of a later event speak for this one. One that was not stored is heard of by that alone.
    async fn send_event(&self, subject: String, body: Bytes, expected_last_sequence: u64) -> Result<(), BusError>;

    /// Where the event stream ends (relay, or puller).
    async fn last_event(&self) -> Result<StreamEnd, BusError>;

    /// One message of the event stream (relay); `None` where the stream does not hold it.
    async fn event_at_sequence(&self, sequence: u64) -> Result<Option<StreamedEvent>, BusError>;

    /// Empties the event stream, for a refill (relay). Returns how many events it held.
    ///
    /// The next event has a sequence that the stream never had ([`emptied_until`](crate::emptied_until)): what was sent for the
    /// stream as it was fits nowhere any more.
    async fn purge_events(&self) -> Result<u64, BusError>;

    /// Follows the events of one service, or of all (follower).
    async fn follow_events(&self, service: Option<&ServiceName>) -> Result<Events, BusError>;

    /// Which connections stand, for readiness, and how often one was made: whoever compares with the log on every connect
    /// waits for that to grow.
    fn state(&self) -> watch::Receiver<ConnectionState>;
}
