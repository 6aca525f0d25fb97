//! How a call ends: its exit status and what is printed on the way out.

use std::process::ExitCode;

/// Why a call did not end with "done".
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The answer is no: rejected, not found, verification failed. What there was to say is printed already.
    #[error("the answer is no")]
    No,
    /// Wrong usage: arguments, settings, files.
    #[error("{0}")]
    Usage(String),
    /// Something that it needs is down or broken.
    #[error("{0}")]
    Down(String),
}

impl Failure {
    /// The exit status of the contract.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::No => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Down(_) => ExitCode::from(3),
        }
    }

    /// Wrong usage, in the words of an error.
    pub fn usage(error: impl std::fmt::Display) -> Self {
        Self::Usage(error.to_string())
    }

    /// Something is down, in the words of an error.
    pub fn down(error: impl std::fmt::Display) -> Self {
        Self::Down(error.to_string())
    }

    /// The same with what to know beside it.
    #[must_use]
    pub fn with(self, beside: &str) -> Self {
        match self {
            Self::No => Self::No,
            Self::Usage(what) => Self::Usage(format!("{what}. {beside}")),
            Self::Down(what) => Self::Down(format!("{what}. {beside}")),
        }
    }
}

impl From<crate::settings::SettingsError> for Failure {
    fn from(error: crate::settings::SettingsError) -> Self {
        Self::usage(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Down(format!("Postgres: {error}"))
    }
}
