//! What can keep a private server from running, and what to do about it.

use std::path::PathBuf;

/// Why a private server did not start, stop or reload. Each sentence says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The program is not installed, or only in a version that is too old.
    #[error("{program} {needed} or newer is needed, and {found}; run `make setup`")]
    Missing {
        /// The program's name.
        program: &'static str,
        /// The oldest version that will do.
        needed: &'static str,
        /// What was found instead.
        found: String,
    },

    /// Another process works in this data directory.
    #[error("another caseledger is running in {}; stop it, or choose another directory with --data", path.display())]
    Busy {
        /// The data directory.
        path: PathBuf,
    },

    /// PostgreSQL refuses to run as root, and there is no account that it could run as.
    #[error("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` here: run as a normal user")]
    NoAccount,

    /// The account that PostgreSQL runs as cannot get into the data directory.
    #[error(
        "the user `{account}`, as whom PostgreSQL runs, cannot reach {}: choose another directory with --data, such as \
         one under /var/lib, or let others enter the directories above it",
        path.display()
    )]
    Unreachable {
        /// The directory that it needs.
        path: PathBuf,
        /// The account's name.
        account: String,
    },

    /// There is no place for the data: neither `XDG_DATA_HOME` nor `HOME` is set.
    #[error("neither XDG_DATA_HOME nor HOME is set: name a directory with --data")]
    NoHome,

    /// The data in the directory was written by a version that this one cannot read.
    #[error(
        "{} holds the data of PostgreSQL {found}, and PostgreSQL {installed} cannot read it: install PostgreSQL {found}, \
         or choose another directory with --data",
        path.display()
    )]
    OtherVersion {
        /// PostgreSQL's own directory.
        path: PathBuf,
        /// The major version that wrote the data.
        found: String,
        /// The newest major version installed.
        installed: u32,
    },

    /// A server ended before it was ready, or refused what it was given.
    #[error("{server} {what}; its log, {}, ends with:\n{tail}", log.display())]
    Refused {
        /// Which server.
        server: &'static str,
        /// What happened.
        what: String,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },

    /// The operating system refused something.
    #[error("could not {doing}: {source}")]
    System {
        /// What was being done.
        doing: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Names what was being done when the operating system refused.
pub(super) trait Doing<T> {
    /// Turns an I/O error into [`ServerError::System`]; `doing` completes "could not …".
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, ServerError>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, ServerError> {
        self.map_err(|source| ServerError::System { doing: doing(), source })
    }
}
