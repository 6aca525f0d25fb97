//! What keeps a command from being decided, by what to do next.

use event_store::LedgerError;
use schemas::personal::SealFieldError;
use vault::{SealError, VaultError};

use crate::references::NoReference;
use crate::streams::StreamError;

/// Why a command could not be decided at all.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Something that it needs is down: back off and try again.
    #[error("{0}")]
    Unavailable(String),
    /// Something is not as it should be, and not through this command: schema, grants, a key file, an event that this release
    /// does not know. Nothing final may be said of the command; it waits until somebody has mended that.
    #[error("{0}")]
    Systemic(String),
    /// The command's own fault: trying again won't help.
    #[error("{0}")]
    Broken(String),
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Unavailable(_) | LedgerError::Unknown(_) => Self::Unavailable(error.to_string()),
            LedgerError::Broken(_) => Self::Systemic(error.to_string()),
            LedgerError::Unrecordable(_) => Self::Broken(error.to_string()),
        }
    }
}

impl From<StreamError> for Fault {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Ledger(error) => error.into(),
            StreamError::Event { .. } => Self::Systemic(error.to_string()),
        }
    }
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Unavailable(_) => Self::Unavailable(error.to_string()),
            _ => Self::Systemic(error.to_string()),
        }
    }
}

impl From<NoReference> for Fault {
    fn from(error: NoReference) -> Self {
        match error {
            NoReference::Ledger(error) => error.into(),
            other => Self::Systemic(other.to_string()),
        }
    }
}

impl From<SealFieldError<SealError>> for Fault {
    fn from(error: SealFieldError<SealError>) -> Self {
        Self::Broken(error.to_string())
    }
}
