//! What can go wrong on the wire, by what to do next.

/// A fault of the bus. No message quotes a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// NATS or who answers behind it is not there, or did not answer in time. What was sent may have arrived. Back off and
    /// try again.
    #[error("{doing}: NATS does not answer ({reason}); it will be tried again")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// What NATS or the connection said.
        reason: String,
    },
    /// NATS does not let this user do that. Do not try again: the accounts file has to be mended.
    #[error(
        "{doing}: NATS refuses this to user {user} ({reason}); write the accounts file anew and reload nats-server"
    )]
    Refused {
        /// What was being done.
        doing: String,
        /// The NATS user.
        user: String,
        /// What NATS said.
        reason: String,
    },
    /// This NATS takes any user with any password: the accounts file is not in force there, and whoever reaches it may do
    /// everything. Do not use it before it is.
    #[error(
        "{doing}: this NATS asks nobody for a password; let its configuration include the accounts file, and reload it"
    )]
    Open {
        /// What was being done.
        doing: String,
    },
    /// The event stream does not end where this publisher thought. Read its end again ([`Bus::last_event`]) and compare it
    /// with the log.
    ///
    /// [`Bus::last_event`]: crate::Bus::last_event
    #[error("the event stream does not end at sequence {expected}; read its end again")]
    WrongLastSequence {
        /// The sequence that the publisher expected.
        expected: u64,
    },
    /// Another process has taken the durable commands. Stop, and take them again only with a new lease.
    #[error("another process has taken the durable commands; stop until the lease is ours again")]
    Superseded,
    /// A stream is not there: NATS lost its data or was never set up. Let the steward make the streams, then try again.
    #[error("the stream {stream} does not exist; it has to be made anew before anything can go on")]
    StreamMissing {
        /// The stream's name.
        stream: String,
    },
    /// The message is larger than the bus takes. Do not try again.
    #[error("{doing}: {bytes} bytes are more than the {limit} that the bus takes")]
    TooLarge {
        /// What was being done.
        doing: String,
        /// The size of the body in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Something is not as it was built to be. Stop and look.
    #[error("{doing}: {reason}")]
    Broken {
        /// What was being done.
        doing: String,
        /// What is wrong.
        reason: String,
    },
}

impl BusError {
    /// Whether trying again, after a pause, may work without anybody's help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::StreamMissing { .. })
    }

    pub(crate) fn unavailable(doing: impl Into<String>, reason: impl ToString) -> Self {
        Self::Unavailable {
            doing: doing.into(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn broken(doing: impl Into<String>, reason: impl ToString) -> Self {
        Self::Broken {
            doing: doing.into(),
            reason: reason.to_string(),
        }
    }
}
