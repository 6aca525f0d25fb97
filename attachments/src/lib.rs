//! Attachments: checks, strips, scans, seals and keeps files that belong to cases.

mod clamd;
mod hash;
mod id;
mod kind;
mod scan;
mod strip;

pub use clamd::{Clamd, ClamdAddressError, REPLY_WITHIN};
pub use hash::{ContentHash, ContentHashError};
pub use id::AttachmentId;
pub use kind::Kind;
pub use scan::{NoScanner, ScanError, Scanner, Verdict};
