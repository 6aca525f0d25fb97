//! What can go wrong, and what to do about it.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use schemas::KeyId;

/// A primitive refused what can't be refused, such as 32 bytes out of HKDF. Stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cryptographic primitive failed: stop the process and report it")]
pub struct Broken;

/// The vault could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Back off and try again.
    #[error("the vault's database does not answer: wait and try again")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Refuse the command: a tombstone stands for its person.
    #[error("this person is erased and no key is made for them: refuse the command")]
    Erased,
    /// Stop: every value under this key would look damaged.
    #[error("{key_id} is wrapped by {wrapped_by}, not by this key file: stop, and start with the file of that id")]
    OtherKeyFile {
        /// The row.
        key_id: KeyId,
        /// The id in the key file that is wanted.
        wrapped_by: String,
    },
    /// Stop: somebody altered the row.
    #[error("{0} does not unwrap, so its row was altered: stop, and restore the row from a backup")]
    DamagedKey(KeyId),
    /// Ask the officer again; nothing was opened.
    #[error("an officer who opens personal data says why, in one line of 1 to 500 characters: give such a reason")]
    Reason,
    /// Report it: the letter stays sealed.
    #[error(
        "the dead letter does not open: it was altered, or sealed with another key file; try with the file of its time"
    )]
    DamagedLetter,
    /// Stop: the schema or the grants are not this version's.
    #[error("the vault's database refused a statement: stop, migrate, and check the grants")]
    Statement(#[source] sqlx::Error),
    /// Stop: the migration failed.
    #[error("the vault could not be migrated: stop, and read the cause")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Stop.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl From<sqlx::Error> for VaultError {
    fn from(error: sqlx::Error) -> Self {
        // Classes of PostgreSQL's errors that pass: connection, transaction rollback, resources, operator intervention, the system;
        // of class 25 a server that is read-only for now, of class 55 the lock that was not granted in time.
        const PASSING: [&str; 7] = ["08", "40", "53", "57", "58", "25006", "55P03"];
        let passes = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            // What stands between us and a database that is gone, hangs up in the middle of a word.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(database) => database
                .code()
                .is_some_and(|code| PASSING.iter().any(|class| code.starts_with(class))),
            _ => false,
        };
        if passes {
            Self::unavailable(error)
        } else {
            Self::Statement(error)
        }
    }
}

/// A value could not be sealed. Either way the command must not be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Refuse the command: the pointer to the field has no room in the sealed value's header.
    #[error("the JSON pointer of a personal field is longer than 255 bytes: refuse the command")]
    FieldNameTooLong,
    /// Stop.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// A sealed value could not be opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// Show a gap: the person was erased. It never opens again.
    #[error("the person was erased: show a gap")]
    Erased,
    /// Show a gap: its key was destroyed, as retention does for one case, or never was in this vault.
    #[error("its key is no longer there: show a gap")]
    NoKey,
    /// Report it: the value is not what the vault sealed, or not under this key.
    #[error("the sealed value is damaged: report it, and verify the log")]
    Damaged,
    /// The vault could not look; its own error says what to do.
    #[error("the vault could not look for the key: {0}")]
    Unavailable(#[source] Arc<VaultError>),
}

/// A key file could not be used or made. Start again once what the sentence says is done.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It can't be read.
    #[error("{path} can't be read: {source}; give the path of the key file, or generate one")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It can't be written.
    #[error("{path} can't be written: {source}; an existing key file is never replaced")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others than its owner may read or change it.
    #[error("{path} is open to other users (mode {mode:03o}): chmod 600, and think of the key as known to them")]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not a key file, or a damaged one.
    #[error("{path} is not a key file, or a damaged one: restore it from its own backup")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// Stop.
    #[error(transparent)]
    Broken(#[from] Broken),
}
