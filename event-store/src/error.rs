//! What can go wrong with the log, and what to do then.

use std::fmt;

use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// A call of the log failed. What travels back to a sender is a [`Verdict`](crate::Verdict), never one of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Nothing was recorded. Back off and try again.
    #[error("the log can't be reached: back off and try again ({0})")]
    Unavailable(Reason),
    /// An append whose outcome is not known: the answer was lost. Forget what was read, then ask for the receipts, or append
    /// the same again: what was recorded comes back as `Repeated`.
    #[error("whether the append was recorded is not known: ask again with the same command ids ({0})")]
    Unknown(Reason),
    /// Nothing was recorded, and never will be: what was handed in can't be written. Its fault alone; park it.
    #[error("the log can't hold what was handed in: put it aside ({0})")]
    Unrecordable(Reason),
    /// Nothing was recorded, and trying again won't help before somebody has mended it: the schema, the grants or the login are
    /// not as this release needs them. It says nothing about what was handed in.
    #[error("the log refused a statement: stop, migrate, and check the grants ({0})")]
    Broken(Reason),
}

impl LedgerError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unknown(_))
    }

    /// Of a call that changes nothing, or that failed before it was sent.
    pub(crate) fn of_read(error: &sqlx::Error) -> Self {
        let reason = Reason::of(error);
        match error {
            sqlx::Error::Database(refusal) if !is_passing_refusal(refusal.as_ref()) => Self::Broken(reason),
            sqlx::Error::Configuration(_)
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_)
            | sqlx::Error::TypeNotFound { .. } => Self::Broken(reason),
            _ => Self::Unavailable(reason),
        }
    }

    /// Of an append that was sent. Only an ordinary error of the database says for certain that nothing was recorded: with
    /// a fatal one the session may have ended after the commit.
    pub(crate) fn of_append(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refusal) if is_rolled_back(refusal.as_ref()) => {
                // Data, integrity, a limit of the program: the database speaks of the values.
                let of_values = |code: &str| ["22", "23", "54"].iter().any(|class| code.starts_with(class));
                if refusal.code().is_some_and(|code| of_values(&code)) {
                    Self::Unrecordable(Reason::of(error))
                } else {
                    Self::of_read(error)
                }
            }
            sqlx::Error::Encode(_) => Self::Unrecordable(Reason::of(error)),
            _ => Self::Unknown(Reason::of(error)),
        }
    }
}

/// Whether a fault of Postgres passes by itself, so that the same may work after a pause: the line, the pool, or a condition of
/// the server that ends. For those who keep their own tables beside the log.
#[must_use]
pub fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        // What stands between us and a database that is gone, hangs up in the middle of a word.
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(refusal) => is_passing_refusal(refusal.as_ref()),
        _ => false,
    }
}

/// Conditions that pass: a lock not granted, resources short, the server starting, stopping or read-only for now.
fn is_passing_refusal(refusal: &dyn sqlx::error::DatabaseError) -> bool {
    const READ_ONLY: &str = "25006";
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    refusal.code().is_some_and(|code| {
        code == READ_ONLY
            || code == LOCK_NOT_AVAILABLE
            // Connection, rollback by the server, resources, an operator's action, the system.
            || ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
    })
}

fn is_rolled_back(refusal: &dyn sqlx::error::DatabaseError) -> bool {
    refusal
        .try_downcast_ref::<PgDatabaseError>()
        .is_some_and(|refusal| matches!(refusal.severity(), PgSeverity::Error))
}

/// The cause of an error, as far as it may be written down: kinds, codes and names of constraints, never a value. (The text
/// of a database's error may quote one.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// A cause in words that may be written down.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn of(error: &sqlx::Error) -> Self {
        Self(match error {
            sqlx::Error::Database(refusal) => {
                let code = refusal.code();
                let code = code.as_deref().unwrap_or("without a code");
                match (refusal.constraint(), refusal.table()) {
                    (Some(constraint), _) => format!("SQLSTATE {code}, constraint {constraint}"),
                    (None, Some(table)) => format!("SQLSTATE {code}, table {table}"),
                    (None, None) => format!("SQLSTATE {code}"),
                }
            }
            // What TLS found wrong with the other side's certificate: it speaks of names of servers and authorities.
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => format!("TLS: {error}"),
            sqlx::Error::Io(error) => format!("connection: {}", error.kind()),
            sqlx::Error::Tls(error) => format!("TLS: {error}"),
            sqlx::Error::PoolTimedOut => "no connection became free in time".into(),
            sqlx::Error::PoolClosed => "the pool is closed".into(),
            sqlx::Error::Configuration(_) => "the database's URL or settings".into(),
            sqlx::Error::ColumnDecode { index, .. } => format!("column {index} can't be read"),
            sqlx::Error::ColumnNotFound(column) => format!("column {column} is missing"),
            _ => "the database's protocol".into(),
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_leaves_an_append_unknown_and_a_read_unavailable() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::UnexpectedEof.into());
        assert!(matches!(LedgerError::of_append(&lost), LedgerError::Unknown(_)));
        assert!(matches!(LedgerError::of_read(&lost), LedgerError::Unavailable(_)));
        assert!(LedgerError::of_append(&lost).is_transient());
    }

    #[test]
    fn a_line_that_breaks_off_in_the_middle_of_a_word_passes() {
        assert!(is_passing(&sqlx::Error::Protocol("unexpected response".into())));
        assert!(!is_passing(&sqlx::Error::RowNotFound));
    }

    #[test]
    fn what_never_was_sent_is_not_unknown() {
        assert!(matches!(
            LedgerError::of_read(&sqlx::Error::PoolTimedOut),
            LedgerError::Unavailable(_)
        ));
        let unencodable = sqlx::Error::Encode("too long".into());
        assert!(matches!(
            LedgerError::of_append(&unencodable),
            LedgerError::Unrecordable(_)
        ));
    }
}
