//! Commands about the files of a case. The bus carries references: the bytes were uploaded before, and are sealed in the object store.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::command::words;
use crate::ids::AttachmentId;
use crate::personal::Personal;
use crate::text::{ContentKey, Digest, Line};

words!(
    /// What a file is.
    MediaType {
        /// JPEG.
        Jpeg = "image/jpeg",
        /// PNG.
        Png = "image/png",
        /// WebP.
        Webp = "image/webp",
        /// PDF.
        Pdf = "application/pdf",
        /// Text in UTF-8.
        Text = "text/plain",
        /// A table as CSV (RFC 4180), such as a dataset that is disclosed.
        Csv = "text/csv",
    }
);

impl MediaType {
    /// Whether it is a picture.
    #[must_use]
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Webp)
    }
}

words!(
    /// What a file is for.
    AttachmentPurpose {
        /// A picture of what the case is about, or of what was done.
        Photo = "photo",
        /// What somebody has to show: proof of who they are, of where they live, of an award.
        Evidence = "evidence",
        /// What the council discloses or answers.
        Answer = "answer",
        /// A letter or message that came or went.
        Letter = "letter",
    }
);

/// Adds a file to a case. It was uploaded before, within the last twelve hours, by `caseledger attachment put` or a gateway of the
/// council's, whose answer gives `id`, `media_type`, `hash` and `key`. An upload belongs to one case.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAttachment {
    /// The upload.
    pub id: AttachmentId,
    /// What kind of file it is.
    pub media_type: MediaType,
    /// The SHA-256 of the file as it is kept.
    pub hash: Personal<Digest>,
    /// The key that opens it.
    pub key: Personal<ContentKey>,
    /// What it is for.
    pub purpose: AttachmentPurpose,
    /// Its name for people.
    #[serde(default)]
    pub title: Option<Personal<Line>>,
}

seals!(AddAttachment: hash, key, title);
