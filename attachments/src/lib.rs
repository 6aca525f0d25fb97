//! Attachments: checks, strips, scans, seals and keeps files that belong to cases.

mod clamd;
mod content;
mod error;
mod hash;
mod id;
mod kind;
mod scan;
mod seal;
mod strip;
mod work;

pub use clamd::{Clamd, ClamdAddressError, REPLY_WITHIN};
pub use content::{ATTACHMENT_MAX_BYTES, Admitted, Content, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE, admit};
pub use error::{AdmitError, Interrupted, ReadError, Refusal, StoreError};
pub use hash::{ContentHash, ContentHashError};
pub use id::AttachmentId;
pub use kind::Kind;
pub use scan::{NoScanner, ScanError, Scanner, Verdict};
pub use seal::{ContentKey, ContentKeyError, OpenError};
