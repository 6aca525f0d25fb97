//! Attachments: checks, strips, scans, seals and keeps files that belong to cases.
//!
//! The crate knows neither the log nor the bus. Events and messages carry a file's id, media type, size and hash; the bytes stand here,
//! sealed.
//!
//! # The way of a file
//!
//! ```text
//! bytes ── admit ──> Admitted ── put ──> staged/<id> ── claim ──> kept/<id> ── remove ──> gone
//!          │ size, kind, dimensions         │ its own ContentKey     when its event         when the case
//!          │ location data out              │ goes to the caller     is recorded            is disposed of
//!          └ virus scan                     └ sweep: no event ever named it
//! ```
//!
//! [`admit`] is the only way to an [`Admitted`], and [`AttachmentStore::put`] takes nothing else: what was not scanned can't be
//! stored by mistake.
//!
//! # Keys and disposal
//!
//! Each file is sealed under a [`ContentKey`] of its own. The caller seals the key's text as a personal value of the person
//! whose case it is, in the event that names the file. So the file follows that person's keys: once they are erased nobody can
//! open it, in no copy and no backup. [`AttachmentStore::remove`] then only takes the space back.
//!
//! # What is not promised
//!
//! - Only photos are stripped. A PDF keeps its properties, and pictures within it keep theirs.
//! - What stands within the picture's own data, such as a house number in sight, stays.
//! - The length of a file can be told from its sealed form.
//! - The hash is of the open bytes: who has the same file can tell that it is the same, also after an erasure.
//! - Text and PDF may hold what a browser would run. Whoever serves a file says its kind's media type,
//!   `X-Content-Type-Options: nosniff` and `Content-Disposition: attachment`.

mod clamd;
mod content;
mod error;
mod hash;
mod kind;
mod leftovers;
mod place;
mod scan;
mod seal;
mod store;
mod strip;
mod work;

pub use clamd::{Clamd, ClamdAddressError, REPLY_WITHIN};
pub use content::{ATTACHMENT_MAX_BYTES, Admitted, Content, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE, admit};
pub use error::{AdmitError, Interrupted, ReadError, Refusal, StoreError};
pub use hash::hash_of;
pub use kind::{kind_of_bytes, kind_of_media_type};
pub use place::PlaceError;
pub use scan::{NoScanner, ScanError, Scanner, Verdict};
pub use seal::{ContentKey, ContentKeyError, OpenError};
pub use store::{AttachmentStore, Stored};
