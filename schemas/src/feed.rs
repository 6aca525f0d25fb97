//! A contractor's feed: what is told to the one who delivers, and to nobody else.
//!
//! Each message follows from one event of the log: `JobRaised`, `JobChanged`, `JobCancelled` or `JobReopened`. The messages of a
//! feed are counted from 1 without a gap, in the order of the log, so that who reads it knows when one is missing. What is personal
//! travels sealed for the contractor alone ([`SealedContent`]).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::clock::Due;
use crate::command::{JobAttempt, MediaType, Precaution, Slot};
use crate::envelope::SCHEMAS_URL;
use crate::event::{JobCancellation, JobReopening, Sharing};
use crate::ids::{AttachmentId, CaseId, ContractorCode, EventId, QuestionId, RequestTypeCode, ServiceName};
use crate::moment::Instant;
use crate::personal::AnswerValue;
use crate::reference::Reference;
use crate::text::{ContentKey, Digest, Line, PhoneNumber, Place, Text};

/// The names of the messages: those of the events that they follow from.
pub const MESSAGES: [&str; 4] = ["JobRaised", "JobChanged", "JobCancelled", "JobReopened"];

/// What each sealing is bound to, as HPKE's `info`: what is sealed for a message of a feed opens as nothing else.
#[must_use]
pub fn sealing_info(message: EventId) -> String {
    format!("caseledger feed 1 {message}")
}

/// The public key for which what a contractor reads is sealed: X25519 (RFC 7748), as base64 of its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FeedKey([u8; 32]);

/// A text that is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the base64 of the 32 bytes of an X25519 public key")]
pub struct NotAFeedKey;

impl FeedKey {
    /// Of its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for FeedKey {
    type Err = NotAFeedKey;

    fn from_str(text: &str) -> Result<Self, NotAFeedKey> {
        let bytes = STANDARD.decode(text).map_err(|_| NotAFeedKey)?;
        bytes.try_into().map(Self).map_err(|_| NotAFeedKey)
    }
}

impl fmt::Display for FeedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for FeedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeedKey({self})")
    }
}

impl<'de> Deserialize<'de> for FeedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// The data of a message of a contractor's feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobMessage {
    /// Its place in this feed, from 1, without gaps. Drop what you have seen.
    #[schemars(range(min = 1))]
    pub sequence: i64,
    /// The case: the `subject` of every report on the job.
    pub case_id: CaseId,
    /// What people quote.
    pub reference: Reference,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// What was asked for.
    pub request_type: RequestTypeCode,
    /// Which job, and which attempt at it: each report names both.
    pub job: JobAttempt,
    /// What is to be done, by the contractor's own code.
    pub code: ContractorCode,
    /// The slot for which it is booked, where it is done at an appointment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// By when. Absent of a job that was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Due>,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<JobCancellation>,
    /// Why it was taken up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<JobReopening>,
    /// Which fields are others than before, of a job that was changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// What is shared, and why that is allowed. Absent of a job that was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// What is shared, sealed. Absent of a job that was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<SealedContent>,
}

/// A [`JobContent`], sealed for one contractor by HPKE (RFC 9180), base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
/// ChaCha20Poly1305. `info` is `caseledger feed 1`, a blank and the message's `id` as it is written; there is no associated data. As
/// base64 (RFC 4648 section 4) of the encapsulated key's 32 bytes and the ciphertext after them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SealedContent(pub String);

/// What a contractor reads: of what the catalogue allows for the purpose, what the case has.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobContent {
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What it is about, in the resident's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Whom to speak to, where somebody has to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<JobContact>,
    /// The answers to the type's own questions, by question.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<QuestionId, AnswerValue>,
    /// Pictures of what it is about, in the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<JobPhoto>,
    /// What to mind at the door.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precautions: Vec<Precaution>,
    /// Why it was taken up again, as the resident or the officer who sent it back said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// Whether something that was shared can no longer be read: it was erased since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// Prints nothing of it.
impl fmt::Debug for JobContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JobContent([personal])")
    }
}

/// A picture, as a file of the council's object store: `kept/` and its id, or `staged/` and its id within its first minutes. How it
/// is sealed is said in `docs/attachments.md`.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobPhoto {
    /// Its id.
    pub id: AttachmentId,
    /// What kind of file it is.
    pub media_type: MediaType,
    /// The SHA-256 of the picture, opened.
    pub hash: Digest,
    /// The key that opens it.
    pub key: ContentKey,
}

impl fmt::Debug for JobPhoto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JobPhoto([personal])")
    }
}

/// Whom to speak to.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobContact {
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
    /// Their phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
}

impl fmt::Debug for JobContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JobContact([personal])")
    }
}

impl JobMessage {
    /// Writes it as a structured CloudEvent. `event` is the id of the event that it follows from, `name` that event's name,
    /// `recorded_at` when it was recorded.
    ///
    /// # Errors
    /// Never, for what the types can hold.
    pub fn write(&self, event: EventId, name: &str, recorded_at: Instant) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Message<'a> {
            specversion: &'static str,
            id: EventId,
            #[serde(rename = "type")]
            kind: String,
            source: &'static str,
            subject: CaseId,
            time: Instant,
            datacontenttype: &'static str,
            dataschema: String,
            data: &'a JobMessage,
        }
        serde_json::to_string(&Message {
            specversion: "1.0",
            id: event,
            kind: format!("caseledger.feed.{name}.v1"),
            source: "/caseledger",
            subject: self.case_id,
            time: recorded_at,
            datacontenttype: "application/json",
            dataschema: format!("{SCHEMAS_URL}/feed/JobMessage.v1.json"),
            data: self,
        })
    }

    /// The place in its feed of a message that was published.
    #[must_use]
    pub fn sequence_of(message: &[u8]) -> Option<i64> {
        #[derive(Deserialize)]
        struct Message {
            data: Place,
        }
        #[derive(Deserialize)]
        struct Place {
            sequence: i64,
        }
        serde_json::from_slice::<Message>(message)
            .ok()
            .map(|message| message.data.sequence)
    }
}
