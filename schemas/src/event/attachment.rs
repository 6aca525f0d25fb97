//! The files of a case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{AttachmentPurpose, MediaType};
use crate::ids::AttachmentId;
use crate::personal::Personal;
use crate::text::{ContentKey, Digest, Line, Text};

/// A file was added to the case. It stands in the object store, sealed under a key of its own; that key, and the hash that tells
/// whether the file is still what it was, are sealed here for the person whose case it is: once their keys are destroyed, no copy of the
/// file can be opened or told from another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttachmentAdded {
    /// Its id in the object store.
    pub attachment: AttachmentId,
    /// What it is for.
    pub purpose: AttachmentPurpose,
    /// What kind of file it is, as the service found.
    pub media_type: MediaType,
    /// How many bytes it has.
    pub bytes: u32,
    /// The SHA-256 of the file as it is kept, without what was stripped from a photo.
    pub hash: Personal<Digest>,
    /// The key that opens it.
    pub key: Personal<ContentKey>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Personal<Line>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}
