//! Keys: seals, opens and erases personal data. The only crate that can read it.
//!
//! # What is derived from what
//!
//! ```text
//! key file (32 random bytes, not in the database)
//! ├─ wrapping key (or a later one, a line of its own in the file) ── wraps ──> row key: 32 random bytes, one per (person, stream, category), in vault.keys
//! │                            └─ field key: HKDF-SHA256 of the row key over the sealed value's header
//! │                               ├─ encryption key (XChaCha20-Poly1305)
//! │                               └─ commitment (stands in the sealed value)
//! ├─ look-up keys, one per kind ──> vault.lookups
//! ├─ fingerprint key ──> a command's fingerprint
//! └─ letter key ──> the sealed bodies of dead letters
//! ```
//!
//! To destroy a row key makes all that it sealed unreadable, wherever copies of it stand. A [`FieldKey`] opens one field and
//! nothing else, so it can be given to an auditor. The commitment binds a sealed value to one field key: nobody can make a
//! value that opens to one text under one key and to another under a second.
//!
//! # The way of a key
//!
//! [`Vault::keys_for`] loads what is stored for a person in a stream. A [`Sealer`] serves one attempt at one command and
//! mints what is missing; its [`KeyAdmission`](schemas::sealed::KeyAdmission) travels with the append, which calls
//! `vault.admit` under the ledger's head lock. When the append has won, [`Vault::admitted`] puts the keys in the cache;
//! when it was refused for its keys, [`Vault::forget`] drops what is cached, and the command begins again.
//!
//! A cached key lives for at most [`Settings::cache_for`] after it was read, so erasure is complete that long after
//! [`Vault::erase`] returned, and only then may it be reported as done.
//!
//! Where the rows are is a seam ([`KeyStore`]): in Postgres, or in a simulation that has the vault's own sealing run over it.
//!
//! # Who read what
//!
//! An officer who reads personal data says why, and [`Vault::record_opening`] records that before anything is opened; where it
//! can't be recorded, nothing is opened. The table `vault.openings` is append-only; whoever checks the readers reads it as
//! `caseledger_vault_auditor`, without a right to any key.

mod cache;
mod error;
mod field;
mod fingerprint;
mod key_file;
mod letter;
mod lookup;
mod migrate;
mod opening;
mod postgres;
mod recipient;
mod rewrap;
mod row_key;
mod sealer;
mod secret;
mod store;
mod token;
mod vault;

pub use error::{Broken, KeyFileError, OpenError, SealError, VaultError};
pub use field::{FieldKey, Opened, open_with_field_key};
pub use fingerprint::Fingerprinter;
pub use key_file::KeyEncryptionKey;
pub use lookup::{FIND_AT_MOST, LookupKind};
pub use migrate::migrate;
pub use opening::LONGEST_REASON_CHARS;
pub use recipient::{feed_key_of, feed_key_pair, open_as_contractor, seal_for};
pub use rewrap::StoredKeys;
pub use sealer::{Keys, Sealer};
pub use store::{AskedKey, KeyStore, Opening, StoredKey};
pub use token::SealedHeader;
pub use vault::{Erasure, ErasureReason, Settings, Vault};

/// What makes keys and nonces.
pub type KeyRng = rand::rngs::StdRng;

/// A generator for keys and nonces, seeded by the operating system. For the outermost layer, which hands it to
/// [`Sealer::new`] and [`KeyEncryptionKey::generate`].
#[must_use]
pub fn fresh_rng() -> KeyRng {
    rand::make_rng()
}
