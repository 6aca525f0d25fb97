//! What an operator puts right on the bus: dead letters, as they are read and sent again, and a contractor's feed that is to be filled anew.

use async_nats::jetstream::stream::{LastRawMessageErrorKind, RawMessageErrorKind, Stream};
use bytes::Bytes;
use schemas::subjects::{self, ALL_DEADLETTERS, DEADLETTERS_STREAM, FEEDS_STREAM, RESULTS_STREAM};
use schemas::{ClientName, CommandId};
use time::OffsetDateTime;

use crate::connection::api_fault;
use crate::error::BusError;
use crate::message::DeadLetter;
use crate::streams::Steward;

const READING: &str = "read the dead letters";
const DROPPING: &str = "drop a dead letter";
const SENDING: &str = "send a command again";
const RESULT: &str = "read the result of a command";

/// A dead letter that JetStream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Its place among the dead letters: what it is called by.
    pub sequence: u64,
    /// When it was put there.
    pub at: OffsetDateTime,
    /// Who could not handle it.
    pub consumer: String,
    /// What it says.
    pub letter: DeadLetter,
}

impl Steward {
    /// The first dead letter at this place or after it; `None` where there is none any more.
    ///
    /// # Errors
    /// [`BusError::Broken`] where somebody else put something there.
    pub async fn next_parked(&self, sequence: u64) -> Result<Option<Parked>, BusError> {
        let stream = self.stream(READING, DEADLETTERS_STREAM).await?;
        let found = stream.get_first_raw_message_by_subject(ALL_DEADLETTERS, sequence).await;
        let message = match found {
            Ok(message) => message,
            Err(error) => {
                return match error.kind() {
                    RawMessageErrorKind::NoMessageFound => Ok(None),
                    RawMessageErrorKind::JetStream(error) => Err(api_fault(READING, DEADLETTERS_STREAM, &error)),
                    _ => Err(BusError::unavailable(READING, error)),
                };
            }
        };
        let letter = serde_json::from_slice(&message.payload)
            .map_err(|_| BusError::broken(READING, format!("number {} is none of ours", message.sequence)))?;
        Ok(Some(Parked {
            sequence: message.sequence,
            at: message.time,
            consumer: message.subject.rsplit('.').next().unwrap_or_default().to_owned(),
            letter,
        }))
    }

    /// Drops a dead letter that is settled.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn drop_parked(&self, sequence: u64) -> Result<(), BusError> {
        let stream = self.stream(DROPPING, DEADLETTERS_STREAM).await?;
        let dropped = stream.delete_message(sequence).await;
        dropped
            .map(drop)
            .map_err(|error| BusError::unavailable(DROPPING, error))
    }

    /// Puts a command into the queue of durable commands, in the name of the client that it came from, and waits until JetStream
    /// holds it. Its rights are looked at when it is handled, as they are then.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn send_again(&self, client: &ClientName, command: &str, body: Bytes) -> Result<(), BusError> {
        self.connection
            .store(SENDING, subjects::command(client, command), body)
            .await
    }

    /// Empties a contractor's feed; its keeper fills it again. Returns how many messages it held.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn empty_feed(&self, contractor: &ClientName) -> Result<u64, BusError> {
        const DOING: &str = "empty a contractor's feed";
        let stream = self.stream(DOING, FEEDS_STREAM).await?;
        let purged = stream.purge().filter(subjects::feed(contractor, ">")).await;
        purged
            .map(|purged| purged.purged)
            .map_err(|error| BusError::unavailable(DOING, error))
    }

    /// The result of a durable command, as its client hears it; `None` while there is none.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn result_of(&self, client: &ClientName, command: CommandId) -> Result<Option<Bytes>, BusError> {
        let stream = self.stream(RESULT, RESULTS_STREAM).await?;
        let found = stream
            .get_last_raw_message_by_subject(&subjects::result(client, command))
            .await;
        match found {
            Ok(message) => Ok(Some(message.payload)),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(None),
                LastRawMessageErrorKind::JetStream(error) => Err(api_fault(RESULT, RESULTS_STREAM, &error)),
                _ => Err(BusError::unavailable(RESULT, error)),
            },
        }
    }

    async fn stream(&self, doing: &str, name: &str) -> Result<Stream<()>, BusError> {
        let stream = self.connection.jetstream.get_stream_no_info(name).await;
        stream.map_err(|error| BusError::broken(doing, error))
    }
}
