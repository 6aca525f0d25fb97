//! The NATS users of the services' own account, and their passwords.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::BusError;

/// One of the NATS users within the services' account. Each may do what its part needs and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceUser {
    /// Takes calls, queries and requests for a replay, and publishes to replies only.
    Answerer,
    /// Takes durable commands; publishes results, dead letters and feeds, reads where feeds end, and sees how much streams hold.
    Puller,
    /// Publishes events, and reads and empties the stream of events.
    Relay,
    /// Follows events, and publishes nothing.
    Follower,
    /// Makes and changes streams and clients' consumers, and sends commands again that were parked: an operator's.
    Steward,
}

impl ServiceUser {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Answerer, Self::Puller, Self::Relay, Self::Follower, Self::Steward];

    /// The name that NATS knows it by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answerer => "answerer",
            Self::Puller => "puller",
            Self::Relay => "relay",
            Self::Follower => "follower",
            Self::Steward => "steward",
        }
    }

    /// Under which subjects it waits for answers. Each user has its own, so that none reads another's.
    #[must_use]
    pub fn inbox(self) -> String {
        format!("_INBOX.{self}")
    }
}

impl fmt::Display for ServiceUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The cost of a password's hash. Passwords here are made, not chosen: 128 random bits or more, which no number of rounds makes
/// harder to guess. nats-server pays it on every connection.
const BCRYPT_COST: u32 = 6;

/// A password. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password, for who has to hand it over.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its bcrypt hash, as nats-server takes it in place of the password.
    ///
    /// # Errors
    /// [`BusError::Broken`] where the system has no randomness to give.
    pub fn bcrypt(&self) -> Result<String, BusError> {
        bcrypt::hash(&self.0, BCRYPT_COST).map_err(|error| BusError::broken("hash a password", error))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The passwords of some or all of the services' users.
#[derive(Clone, Debug, Default)]
pub struct ServicePasswords(BTreeMap<ServiceUser, Password>);

impl ServicePasswords {
    /// The password of a user, where it is known.
    #[must_use]
    pub fn get(&self, user: ServiceUser) -> Option<&Password> {
        self.0.get(&user)
    }

    /// Every user whose password is known.
    pub fn iter(&self) -> impl Iterator<Item = (ServiceUser, &Password)> {
        self.0.iter().map(|(user, password)| (*user, password))
    }

    /// The passwords of these users only: what one process is given.
    #[must_use]
    pub fn only(&self, users: &[ServiceUser]) -> Self {
        self.iter()
            .filter(|(user, _)| users.contains(user))
            .map(|(user, password)| (user, password.clone()))
            .collect()
    }
}

impl FromIterator<(ServiceUser, Password)> for ServicePasswords {
    fn from_iter<T: IntoIterator<Item = (ServiceUser, Password)>>(passwords: T) -> Self {
        Self(passwords.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed() {
        let all: ServicePasswords = [(ServiceUser::Relay, Password::new("hush"))].into_iter().collect();
        assert!(!format!("{all:?}").contains("hush"));
        assert!(all.only(&[ServiceUser::Puller]).get(ServiceUser::Relay).is_none());
    }
}
