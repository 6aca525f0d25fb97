//! What travels through the seam: plain values, without a name of the wire's library.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use schemas::Position;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The headers of a message. Names are in lower case; of a repeated header the last value counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    /// The value of a header, by its lower-case name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets a header.
    pub fn insert(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_ascii_lowercase(), value.into());
    }

    /// Every header, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(headers: T) -> Self {
        let mut all = Self::default();
        for (name, value) in headers {
            all.insert(name.as_ref(), value);
        }
        all
    }
}

/// Where an answer goes. Within the services' account it is a subject that NATS made for the crossing of the account
/// boundary, whatever the caller chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplySubject(String);

impl ReplySubject {
    /// Names a subject for answers. Only a bus makes one.
    #[must_use]
    pub fn new(subject: impl Into<String>) -> Self {
        Self(subject.into())
    }

    /// The subject.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A call, a query or a request for a replay.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The subject: it says who sent it, and NATS vouches for that.
    pub subject: String,
    /// `content-type`, `ce-…` and whatever else the sender put.
    pub headers: Headers,
    /// The body, unread.
    pub body: Bytes,
    /// Where the sender waits for the answer; without it there is nobody to answer.
    pub reply: Option<ReplySubject>,
}

/// What acknowledges one delivery. Only a bus makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckToken(String);

impl AckToken {
    /// Wraps what the bus needs to acknowledge.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// What the bus needs to acknowledge.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A durable command, delivered until it is acknowledged.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The subject: it says who sent it, and NATS vouches for that.
    pub subject: String,
    /// `content-type`, `ce-…` and whatever else the sender put.
    pub headers: Headers,
    /// The body, unread.
    pub body: Bytes,
    /// Its sequence in the stream of commands.
    pub stream_sequence: u64,
    /// How often it was delivered, this time included, since the commands were last taken.
    pub delivered_count: u64,
    /// What acknowledges it.
    pub ack: AckToken,
}

/// An event, as followed live or read from the stream.
#[derive(Clone, PartialEq, Eq)]
pub struct EventMessage {
    /// The subject, `caseledger.event.<service>.<aggregate>.<Event>`.
    pub subject: String,
    /// The structured CloudEvent.
    pub body: Bytes,
}

/// A message that the event stream holds.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamedEvent {
    /// Its sequence in the stream. It runs beside the position, at whatever offset.
    pub sequence: u64,
    /// Its position in the log, as the message gives it.
    pub position: Position,
    /// The subject.
    pub subject: String,
    /// The structured CloudEvent, to the byte as published.
    pub body: Bytes,
}

/// Where the event stream ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEnd {
    /// The last sequence that the stream gave: what the next publish expects. A purge does not change it.
    pub sequence: u64,
    /// How many messages it holds: where nothing is missing, as many as the last event's position.
    pub messages: u64,
    /// The event at that sequence; none where the stream is empty, or has lost just that one.
    pub last: Option<StreamedEvent>,
}

/// That JetStream holds a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishAck {
    /// Its sequence in the stream.
    pub sequence: u64,
}

/// What could not be read or handled, for somebody to look at.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Why, without quoting the message.
    pub reason: String,
    /// SHA-256 of the body, in lower-case hexadecimal: it tells two dead letters apart.
    pub digest: String,
    /// The message, sealed; absent where it could not be. What came with its attributes in headers and could be read is a structured
    /// message here, so that it is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_body: Option<String>,
    /// The subject that it came on.
    pub subject: String,
    /// Its sequence in the stream that it came from, where it came from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_sequence: Option<u64>,
}

impl DeadLetter {
    /// A letter about a call, of which only the digest is kept in clear.
    #[must_use]
    pub fn of_call(request: &Request, reason: impl Into<String>, sealed_body: Option<String>) -> Self {
        Self {
            reason: reason.into(),
            digest: digest(&request.body),
            sealed_body,
            subject: request.subject.clone(),
            stream_sequence: None,
        }
    }

    /// A letter about `body`, of which only the digest is kept in clear.
    #[must_use]
    pub fn new(delivery: &Delivery, reason: impl Into<String>, sealed_body: Option<String>) -> Self {
        Self {
            reason: reason.into(),
            digest: digest(&delivery.body),
            sealed_body,
            subject: delivery.subject.clone(),
            stream_sequence: Some(delivery.stream_sequence),
        }
    }
}

/// SHA-256 of a body, in lower-case hexadecimal.
#[must_use]
pub fn digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

// Bodies and headers come from outside and are full of people: none is printed.

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("subject", &self.subject)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("subject", &self.subject)
            .field("bytes", &self.body.len())
            .field("stream_sequence", &self.stream_sequence)
            .field("delivered_count", &self.delivered_count)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EventMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventMessage")
            .field("subject", &self.subject)
            .field("bytes", &self.body.len())
            .finish()
    }
}

impl fmt::Debug for StreamedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamedEvent")
            .field("sequence", &self.sequence)
            .field("position", &self.position)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("reason", &self.reason)
            .field("digest", &self.digest)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_looked_up_by_their_lower_case_name() {
        let headers: Headers = [("Content-Type", "application/json"), ("CE-Id", "7")]
            .into_iter()
            .collect();
        assert_eq!(
            (headers.get("content-type"), headers.get("ce-id")),
            (Some("application/json"), Some("7"))
        );
        assert_eq!(headers.get("ce-type"), None);
    }

    #[test]
    fn a_dead_letter_keeps_the_digest_and_prints_no_body() {
        let delivery = Delivery {
            subject: "caseledger.command.website.SubmitRequest".into(),
            headers: Headers::default(),
            body: Bytes::from_static(b"abc"),
            stream_sequence: 7,
            delivered_count: 1,
            ack: AckToken::new("ack"),
        };
        let letter = DeadLetter::new(&delivery, "not JSON", Some("sealed-text".into()));
        assert_eq!(
            letter.digest,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(!format!("{letter:?} {delivery:?}").contains("sealed-text"));
    }
}
