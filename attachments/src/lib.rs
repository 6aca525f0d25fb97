//! Attachments: checks, strips, scans, seals and keeps files that belong to cases.

mod hash;
mod id;
mod kind;
mod strip;

pub use hash::{ContentHash, ContentHashError};
pub use id::AttachmentId;
pub use kind::Kind;
