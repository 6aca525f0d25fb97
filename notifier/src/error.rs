//! What can go wrong in the notifier, and what to do about it. No message holds a personal value.

use std::sync::Arc;

use event_store::{LedgerError, SubscriptionError};
use schemas::Position;
use schemas::event::EventError;
use vault::VaultError;

/// A fault of the notifier.
#[derive(Debug, thiserror::Error)]
pub enum NotifierError {
    /// Back off and try again.
    #[error("the notifier's database does not answer: wait and try again")]
    Unavailable(#[source] sqlx::Error),
    /// Stop: the schema or the grants are not this version's.
    #[error("the notifier's database refused a statement: stop, migrate, and check the grants")]
    Statement(#[source] sqlx::Error),
    /// Stop: the migration failed.
    #[error("the notifier could not be migrated: stop, and read the cause")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Do what the vault's own error says: wait, or stop.
    #[error("a sealed value can't be looked at: {0}")]
    Vault(#[source] Arc<VaultError>),
    /// Stop at this position: an event is never skipped.
    #[error("position {position}: {source}")]
    Event {
        /// Where.
        position: Position,
        /// Why it could not be read.
        source: EventError,
    },
    /// Stop at this position: the catalogue does not know what the event speaks of.
    #[error(
        "position {position} speaks of the request type {request_type}, which this catalogue does not know: run one that does"
    )]
    UnknownRequestType {
        /// Where.
        position: Position,
        /// The request type.
        request_type: String,
    },
    /// Begin again from the stored position: an event was left out.
    #[error("position {position} came after {checkpoint}: read what lies between from the log")]
    Gap {
        /// The event that came.
        position: Position,
        /// The last event whose effect is stored.
        checkpoint: Position,
    },
    /// Do what the log's own error says: wait, or stop.
    #[error(transparent)]
    Log(#[from] LedgerError),
    /// Stop: the log can't be followed.
    #[error(transparent)]
    Subscription(Box<SubscriptionError>),
    /// Stop: a row of the notifier is not as the notifier writes it.
    #[error("the delivery of position {position} is damaged: stop, and compare notifier.deliveries with a backup")]
    DamagedRow {
        /// The event that the delivery tells of.
        position: Position,
    },
    /// Stop: the settings can't be used.
    #[error("{setting} can't be used: {reason}")]
    Setting {
        /// Which one.
        setting: &'static str,
        /// Why not.
        reason: String,
    },
}

impl NotifierError {
    /// Whether trying again, after a pause, may work without anybody's help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Gap { .. } => true,
            Self::Log(fault) => fault.is_transient(),
            Self::Vault(fault) => matches!(**fault, VaultError::Unavailable(_)),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for NotifierError {
    fn from(error: sqlx::Error) -> Self {
        if event_store::is_passing(&error) {
            Self::Unavailable(error)
        } else {
            Self::Statement(error)
        }
    }
}
