//! What can go wrong, and what to do about it. No sentence quotes what a file holds.

use crate::content::{ATTACHMENT_MAX_BYTES, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE};
use crate::scan::ScanError;
use crate::seal::OpenError;
use schemas::AttachmentId;
use schemas::command::MediaType;

/// Why a file, or what is said of one, is not taken. It is the sender's to mend; sending the same again gives the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No bytes.
    #[error("the file is empty: send it again")]
    Empty,
    /// More than [`ATTACHMENT_MAX_BYTES`].
    #[error("the file is larger than {} MiB: make it smaller", ATTACHMENT_MAX_BYTES >> 20)]
    TooLarge,
    /// The media type said is of no kind that is taken.
    #[error(
        "this media type is not taken: send a photo as JPEG, PNG or WebP, a document as PDF, else text/plain or text/csv"
    )]
    UnknownMediaType,
    /// The bytes are of no kind that is taken.
    #[error("the file is no JPEG, PNG, WebP, PDF or text in UTF-8: turn it into one, a phone's HEIC photo into JPEG")]
    UnknownKind,
    /// The bytes are of another kind than was said.
    #[error("it was said to be {}, but the file is {}: say what it is", declared.as_str(), found.as_str())]
    OtherKind {
        /// What was said.
        declared: MediaType,
        /// What it is.
        found: MediaType,
    },
    /// More than [`IMAGE_MAX_SIDE`] pixels a side or [`IMAGE_MAX_PIXELS`] in all, or none.
    #[error("a picture has 1 to {IMAGE_MAX_SIDE} pixels a side, and {} million in all: make it smaller", IMAGE_MAX_PIXELS / 1_000_000)]
    ImageSize,
    /// The parts of the picture can't be told apart, so location data could not be taken out either.
    #[error("the {} file is damaged or cut short: send it again, or save it anew", kind.as_str())]
    DamagedImage {
        /// What it was read as.
        kind: MediaType,
    },
    /// The scanner found something.
    #[error("the virus scanner found {name}: do not send this file again, and have the sender's device looked at")]
    Infected {
        /// What the scanner calls it: letters, digits and `-_./:`, at most 100.
        name: String,
    },
    /// No file of that id is staged or kept: never uploaded, swept, or removed.
    #[error("there is no such attachment: upload the file first, and name it soon after")]
    UnknownAttachment,
    /// The key given is another file's.
    #[error("this key does not open the attachment: give the one that its upload was answered with")]
    OtherKey,
    /// The hash given is not that of the file.
    #[error("the hash is not that of the attachment: give the one that its upload was answered with")]
    OtherHash,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty_attachment",
            Self::TooLarge => "attachment_too_large",
            Self::UnknownMediaType => "unknown_media_type",
            Self::UnknownKind => "unknown_kind",
            Self::OtherKind { .. } => "other_kind",
            Self::ImageSize => "image_size",
            Self::DamagedImage { .. } => "damaged_image",
            Self::Infected { .. } => "infected",
            Self::UnknownAttachment => "unknown_attachment",
            Self::OtherKey => "other_key",
            Self::OtherHash => "other_hash",
        }
    }

    /// The field that it is about, as a JSON pointer (RFC 6901) into what the attachment is sent or named with.
    #[must_use]
    pub const fn pointer(&self) -> &'static str {
        match self {
            Self::Empty
            | Self::TooLarge
            | Self::UnknownKind
            | Self::ImageSize
            | Self::DamagedImage { .. }
            | Self::Infected { .. } => "/bytes",
            Self::UnknownMediaType | Self::OtherKind { .. } => "/media_type",
            Self::UnknownAttachment => "/id",
            Self::OtherKey => "/key",
            Self::OtherHash => "/hash",
        }
    }
}

/// The process stopped, or had a bug, while it worked on a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work on the attachment was cut off: send it again once the service runs")]
pub struct Interrupted;

/// A file was not admitted.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// Answer it with a problem.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nothing is known of the file: keep none of it, and try again later.
    #[error(transparent)]
    Unscanned(#[from] ScanError),
    /// Try again.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// The store could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing of that id is staged or kept.
    #[error("there is no attachment {0}: it was never uploaded, was swept as no event named it, or was removed")]
    Unknown(AttachmentId),
    /// Back off and try again.
    #[error("the attachment store does not answer: wait and try again")]
    Unavailable(#[source] object_store::Error),
    /// Stop: trying again gives the same.
    #[error("the attachment store does not let this service in: stop, and check its credentials and rights")]
    Denied(#[source] object_store::Error),
    /// Try again.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as Cause;
        match error {
            Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. } => Self::Denied(error),
            other => Self::Unavailable(other),
        }
    }
}

/// An attachment could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not what was said of it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It does not open.
    #[error(transparent)]
    Sealed(#[from] OpenError),
    /// The store did not give it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReadError {
    /// What to answer where a command named the attachment and this came of it; `None` where the sender can't mend it.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal.clone()),
            Self::Sealed(OpenError::WrongKey) => Some(Refusal::OtherKey),
            Self::Store(StoreError::Unknown(_)) => Some(Refusal::UnknownAttachment),
            Self::Sealed(_) | Self::Store(_) => None,
        }
    }
}
