//! What can go wrong, and what to do about it.

use event_store::{LedgerError, SubscriptionError};
use schemas::event::EventError;
use schemas::{EventId, Position};

/// A projection, or a question to one, could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// Back off and try again; [`run`](crate::run) does so by itself.
    #[error("the projections' database does not answer: wait and try again")]
    Unavailable(#[source] sqlx::Error),
    /// The log could not be read; its own error says what to do.
    #[error("the log could not be read: {0}")]
    Ledger(#[from] LedgerError),
    /// Stop: the schema or the grants are not this version's.
    #[error("the projections' database refused a statement: stop, migrate, and check the grants")]
    Statement(#[source] sqlx::Error),
    /// Stop: the migration failed.
    #[error("the projections could not be migrated: stop, and read the cause")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Stop: everything before this event is applied, nothing from it on.
    #[error("projection {projection} stands before position {position}: {source}")]
    Unreadable {
        /// The projection.
        projection: &'static str,
        /// The event's position.
        position: Position,
        /// Why it can't be read.
        source: EventError,
    },
    /// Stop: everything before this event is applied, nothing from it on.
    #[error("projection {projection} stands before position {position}: {fault}; verify the log there")]
    Implausible {
        /// The projection.
        projection: &'static str,
        /// The event's position.
        position: Position,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Stop: a recorded event is gone.
    #[error("the log has no event at position {missing}, though it goes further: stop, and verify the log")]
    Hole {
        /// Where it should be.
        missing: Position,
    },
    /// Stop: the log was rolled back, and its positions will be used twice.
    #[error(
        "projection {projection} has applied position {position}, but the log ends at {head}, so it was rolled back: stop all \
         services; restore the log, or rebuild this projection from the log as it is"
    )]
    LogBehind {
        /// The projection.
        projection: &'static str,
        /// The last position that it applied.
        position: Position,
        /// Where the log ends.
        head: Position,
    },
    /// Stop: the log was rolled back and went on otherwise.
    #[error(
        "projection {projection} has applied event {applied} at position {position}, but the log has another one there: stop all \
         services; restore the log, or rebuild this projection from the log as it is"
    )]
    LogReplaced {
        /// The projection.
        projection: &'static str,
        /// The last position that it applied.
        position: Position,
        /// The event that it applied there.
        applied: EventId,
    },
    /// Nothing to do: a later rebuild or verification took this one's place.
    #[error("another rebuild or verification of projection {projection} has begun and takes the place of this one")]
    Superseded {
        /// The projection.
        projection: &'static str,
    },
    /// Nothing to do: [`run`](crate::run) goes on from there by itself.
    #[error("a rebuild on a log that was rolled back set projection {projection} back to position {position}")]
    SetBack {
        /// The projection.
        projection: &'static str,
        /// Where it is now.
        position: Position,
    },
    /// The rebuild was given up and the old rows stay live. Report it: rows were lost or doubled while it was built.
    #[error(
        "the rows built for projection {projection} hold {held} events, but the log has {position}: the old rows stay, report this"
    )]
    Miscounted {
        /// The projection.
        projection: &'static str,
        /// The position that the rows were built to.
        position: Position,
        /// How many events they hold.
        held: i64,
    },
    /// Stop: the subscription ended for a reason that is none of the above.
    #[error("projection {projection} can't follow the log: {source}")]
    Subscription {
        /// The projection.
        projection: &'static str,
        /// Why.
        source: SubscriptionError,
    },
}

/// What makes an event implausible to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its metadata is not what every event has.
    #[error("the event's metadata can't be read")]
    Metadata,
    /// It carries an open personal value.
    #[error("the event holds a personal value that is not sealed")]
    Unsealed,
    /// Its stream does not begin with the event that all of its kind begin with.
    #[error("the stream does not begin with this kind of event, or begins twice")]
    Beginning,
    /// Its sequence does not follow that of the event before it in its stream.
    #[error("the event's sequence does not follow the one before it in its stream")]
    Sequence,
}

impl ProjectionError {
    /// Whether trying again, after a pause, may work without anybody's help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::SetBack { .. } => true,
            Self::Ledger(error) => error.is_transient(),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for ProjectionError {
    fn from(error: sqlx::Error) -> Self {
        if event_store::is_passing(&error) {
            Self::Unavailable(error)
        } else {
            Self::Statement(error)
        }
    }
}
