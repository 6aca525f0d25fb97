//! The envelope: CloudEvents 1.0 in JSON, structured or binary (NATS protocol binding 1.0).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::ids::{AggregateId, ClientName, CommandId, EventId, Position, ServiceName, Version};
use crate::metadata::Origin;
use crate::moment::Instant;
use crate::problem::{Problem, ProblemKind};
use crate::text::ExternalId;

/// The content type of a structured message.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// The NATS header, in lower case, by which a caller says that it has sent this command before and was not answered. It stands outside
/// of the command, which a repeat must not change.
pub const REPEATED: &str = "caseledger-repeated";

/// What [`REPEATED`] says of a repeat; every other value says nothing.
pub const REPEATED_TRUE: &str = "true";

/// Where the schemas of the contract stand: an event's `dataschema` begins with it, and each schema's `$id`.
pub const SCHEMAS_URL: &str = "https://caseledger.example/schemas";

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// A command as it came, its data still unread.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandEnvelope {
    /// The sender's id for it.
    pub id: CommandId,
    /// The CloudEvents type, such as `caseledger.SubmitRequest.v1`.
    pub command_type: String,
    /// The command's name in it.
    pub name: String,
    /// What the envelope gives as the sender.
    pub source: String,
    /// The stream spoken to, where it exists already.
    pub subject: Option<AggregateId>,
    /// When the sender made it.
    pub time: Option<Instant>,
    /// What it belongs to.
    pub correlation_id: Option<String>,
    /// What caused it.
    pub causation_id: Option<String>,
    /// W3C Trace Context; one that has not its form is dropped, as that specification asks.
    pub traceparent: Option<String>,
    /// The data's JSON text, to the byte as sent.
    pub data: String,
}

/// Does not print the data: it is full of people.
impl std::fmt::Debug for CommandEnvelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommandEnvelope")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A message that is no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id, where at least that could be read: then there is somebody to answer.
    pub id: Option<CommandId>,
    /// What is wrong with it.
    pub problem: Problem,
}

#[derive(Deserialize)]
struct Structured<'a> {
    specversion: Option<String>,
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    source: Option<String>,
    subject: Option<String>,
    time: Option<String>,
    datacontenttype: Option<String>,
    correlationid: Option<String>,
    causationid: Option<String>,
    traceparent: Option<String>,
    data_base64: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Default)]
struct Attributes {
    specversion: Option<String>,
    id: Option<String>,
    kind: Option<String>,
    source: Option<String>,
    subject: Option<String>,
    time: Option<String>,
    data_type: Option<String>,
    correlationid: Option<String>,
    causationid: Option<String>,
    traceparent: Option<String>,
}

fn fault(code: &str, message: &str) -> Problem {
    Problem::one(ProblemKind::Malformed, "", code, message)
}

impl CommandEnvelope {
    /// Reads a message. `header` looks a header up by its lower-case name.
    ///
    /// # Errors
    /// [`Unreadable`], with code `too_large`, `malformed_json`, `not_utf8`, `missing_attribute` or `invalid_attribute`.
    pub fn read<'h>(header: impl Fn(&str) -> Option<&'h str>, body: &[u8]) -> Result<Self, Unreadable> {
        let binary = header("ce-specversion").is_some();
        let id_in_header = || header("ce-id").and_then(|id| id.parse().ok());
        let refuse = |id, problem| Unreadable { id, problem };
        if body.len() > MAX_BODY_BYTES {
            let problem = Problem::one(
                ProblemKind::TooLarge,
                "",
                "too_large",
                "the body is larger than 262144 bytes",
            );
            return Err(refuse(id_in_header(), problem));
        }
        let Ok(text) = std::str::from_utf8(body) else {
            return Err(refuse(id_in_header(), fault("not_utf8", "the body is not UTF-8")));
        };
        if binary {
            let own = |name: &str| header(name).map(str::to_owned);
            let attributes = Attributes {
                specversion: own("ce-specversion"),
                id: own("ce-id"),
                kind: own("ce-type"),
                source: own("ce-source"),
                subject: own("ce-subject"),
                time: own("ce-time"),
                data_type: own("content-type"),
                correlationid: own("ce-correlationid"),
                causationid: own("ce-causationid"),
                traceparent: own("ce-traceparent").or_else(|| own("traceparent")),
            };
            return attributes.check(Some(text.trim()));
        }
        let structured: Structured<'_> = serde_json::from_str(text).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            let message = format!("the body is not a CloudEvent in JSON: see {place}");
            refuse(id_within(text), fault("malformed_json", &message))
        })?;
        if structured.data_base64.is_some() {
            let problem = fault(
                "invalid_attribute",
                "attribute data_base64: send the data as JSON in data",
            );
            return Err(refuse(id_within(text), problem));
        }
        let attributes = Attributes {
            specversion: structured.specversion,
            id: structured.id,
            kind: structured.kind,
            source: structured.source,
            subject: structured.subject,
            time: structured.time,
            data_type: structured.datacontenttype,
            correlationid: structured.correlationid,
            causationid: structured.causationid,
            traceparent: structured.traceparent,
        };
        attributes.check(structured.data.map(RawValue::get))
    }

    /// The name in a type of the form `caseledger.<Command>.v1`.
    fn name_of(command_type: &str) -> Option<&str> {
        let name = command_type.strip_prefix("caseledger.")?.strip_suffix(".v1")?;
        (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(name)
    }

    /// What an event's metadata keeps of it.
    #[must_use]
    pub fn origin(&self, client: ClientName) -> Origin {
        Origin {
            client,
            command_type: self.command_type.clone(),
            correlation_id: self.correlation_id.clone().unwrap_or_else(|| self.id.to_string()),
            causation_id: self.causation_id.clone().unwrap_or_else(|| self.id.to_string()),
            traceparent: self.traceparent.clone(),
            sent_at: self.time,
        }
    }

    /// Writes it as a structured message.
    ///
    /// # Errors
    /// When `data` is not JSON.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Message<'a> {
            specversion: &'static str,
            id: CommandId,
            #[serde(rename = "type")]
            kind: &'a str,
            source: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            subject: Option<AggregateId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            time: Option<Instant>,
            datacontenttype: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            correlationid: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            causationid: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            traceparent: Option<&'a str>,
            data: &'a RawValue,
        }
        serde_json::to_string(&Message {
            specversion: "1.0",
            id: self.id,
            kind: &self.command_type,
            source: &self.source,
            subject: self.subject,
            time: self.time,
            datacontenttype: "application/json",
            correlationid: self.correlation_id.as_deref(),
            causationid: self.causation_id.as_deref(),
            traceparent: self.traceparent.as_deref(),
            data: serde_json::from_str(&self.data)?,
        })
    }
}

fn id_within(text: &str) -> Option<CommandId> {
    #[derive(Deserialize)]
    struct OnlyId {
        id: CommandId,
    }
    serde_json::from_str::<OnlyId>(text).ok().map(|only| only.id)
}

fn required(value: Option<String>, name: &str) -> Result<String, Problem> {
    value.ok_or_else(|| fault("missing_attribute", &format!("attribute {name} is required")))
}

fn wrong(name: &str, expected: &str) -> Problem {
    fault("invalid_attribute", &format!("attribute {name}: expected {expected}"))
}

fn short(value: Option<String>, name: &str) -> Result<Option<String>, Problem> {
    let check = |text: String| {
        ExternalId::new(&text)
            .map(|text| text.to_string())
            .map_err(|_| wrong(name, "up to 100 printable characters"))
    };
    value.map(check).transpose()
}

impl Attributes {
    fn check(self, data: Option<&str>) -> Result<CommandEnvelope, Unreadable> {
        let id = self.id.as_deref().and_then(|id| id.parse::<CommandId>().ok());
        self.checked(id, data).map_err(|problem| Unreadable { id, problem })
    }

    fn checked(self, id: Option<CommandId>, data: Option<&str>) -> Result<CommandEnvelope, Problem> {
        if required(self.specversion, "specversion")? != "1.0" {
            return Err(wrong("specversion", "1.0"));
        }
        required(self.id, "id")?;
        let id = id.ok_or_else(|| wrong("id", "a UUID"))?;
        let command_type = required(self.kind, "type")?;
        let name = CommandEnvelope::name_of(&command_type)
            .ok_or_else(|| wrong("type", "caseledger.<Command>.v1"))?
            .to_owned();
        let source = required(self.source, "source")?;
        let json = self.data_type.as_deref().is_none_or(|kind| {
            kind.split(';')
                .next()
                .is_some_and(|kind| kind.trim() == "application/json")
        });
        if !json {
            return Err(wrong("datacontenttype", "application/json"));
        }
        let parse_subject = |subject: String| {
            Uuid::parse_str(&subject)
                .map(AggregateId)
                .map_err(|_| wrong("subject", "a UUID"))
        };
        let parse_time = |time: String| {
            time.parse()
                .map_err(|_| wrong("time", "an instant as RFC 3339 writes it"))
        };
        Ok(CommandEnvelope {
            id,
            name,
            command_type,
            source,
            subject: self.subject.map(parse_subject).transpose()?,
            time: self.time.map(parse_time).transpose()?,
            correlation_id: short(self.correlationid, "correlationid")?,
            causation_id: short(self.causationid, "causationid")?,
            traceparent: self.traceparent.filter(|value| is_traceparent(value)),
            data: data
                .filter(|data| !data.is_empty())
                .ok_or_else(|| fault("missing_attribute", "there is no data"))?
                .to_owned(),
        })
    }
}

/// The form of W3C Trace Context, section 3.2: `00-<32 hex>-<16 hex>-<2 hex>`.
fn is_traceparent(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let lengths = [2, 32, 16, 2];
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// A stored event on its way to the bus.
#[derive(Clone, Copy, Debug)]
pub struct EventMessage<'a> {
    /// The event's id.
    pub event_id: EventId,
    /// The aggregate's name.
    pub aggregate: &'a str,
    /// The event's name.
    pub event_type: &'a str,
    /// The event's version.
    pub event_version: &'a str,
    /// The stream.
    pub aggregate_id: AggregateId,
    /// Where in the log.
    pub position: Position,
    /// Which service.
    pub service: &'a ServiceName,
    /// Where among its service's events.
    pub service_position: Position,
    /// Where in its stream.
    pub sequence: Version,
    /// The command that brought it about.
    pub command_id: CommandId,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// When it happened.
    pub occurred_at: Instant,
    /// The stored metadata text.
    pub metadata: &'a str,
    /// The stored payload text.
    pub payload: &'a str,
}

impl EventMessage<'_> {
    /// Writes it as a structured CloudEvent. The payload stands in `data` to the byte; the metadata text is a string, whole.
    ///
    /// # Errors
    /// When the stored texts are not JSON.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Message<'a> {
            specversion: &'static str,
            id: EventId,
            #[serde(rename = "type")]
            kind: String,
            source: &'static str,
            subject: AggregateId,
            time: Instant,
            datacontenttype: &'static str,
            dataschema: String,
            position: String,
            service: &'a ServiceName,
            serviceposition: String,
            streamsequence: String,
            commandid: CommandId,
            occurredat: Instant,
            correlationid: String,
            causationid: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            traceparent: Option<String>,
            metadata: &'a str,
            data: &'a RawValue,
        }
        #[derive(Deserialize)]
        struct Trail {
            correlation_id: Option<String>,
            causation_id: Option<String>,
            traceparent: Option<String>,
        }
        let trail: Trail = serde_json::from_str(self.metadata)?;
        let version = self.event_version;
        serde_json::to_string(&Message {
            specversion: "1.0",
            id: self.event_id,
            kind: format!("caseledger.{}.{}.v{version}", self.aggregate, self.event_type),
            source: "/caseledger",
            subject: self.aggregate_id,
            time: self.recorded_at,
            datacontenttype: "application/json",
            dataschema: format!("{SCHEMAS_URL}/events/{}.v{version}.json", self.event_type),
            position: self.position.to_string(),
            service: self.service,
            serviceposition: self.service_position.to_string(),
            streamsequence: self.sequence.to_string(),
            commandid: self.command_id,
            occurredat: self.occurred_at,
            correlationid: trail.correlation_id.unwrap_or_else(|| self.command_id.to_string()),
            causationid: trail.causation_id.unwrap_or_else(|| self.command_id.to_string()),
            traceparent: trail.traceparent,
            metadata: self.metadata,
            data: serde_json::from_str(self.payload)?,
        })
    }
}

/// What a consumer reads back from a published event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PublishedEvent {
    /// The event's id.
    pub id: EventId,
    /// `caseledger.<aggregate>.<Event>.v<version>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The stream.
    pub subject: AggregateId,
    /// When it was recorded.
    pub time: Instant,
    /// Where in the log, in decimal.
    pub position: String,
    /// Which service.
    pub service: ServiceName,
    /// Where among its service's events, in decimal.
    pub serviceposition: String,
    /// Where in its stream, in decimal.
    pub streamsequence: String,
    /// The command that brought it about.
    pub commandid: CommandId,
    /// When it happened.
    pub occurredat: Instant,
    /// The stored metadata text.
    pub metadata: String,
    /// The stored payload text, to the byte.
    #[serde(deserialize_with = "raw_text")]
    pub data: String,
}

fn raw_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(|raw| raw.get().to_owned())
}

#[cfg(test)]
mod tests;
