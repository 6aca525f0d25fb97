//! The client register: who may use the bus, and for what.
//!
//! It is a TOML file with a table for each client:
//!
//! ```toml
//! [website]
//! password = "$2b$…"                       # bcrypt; the client keeps the password itself
//! commands = ["SubmitRequest"]             # or ["*"]
//! services = ["waste", "highways"]         # whose cases it may speak to; or ["*"]
//! reads = ["waste"]                        # whose events it may read; as `services` where it is not given
//! actors = ["resident", "representative"]  # for whom it may speak
//! teams = []                               # for the officers of which teams; or ["*"]
//! may_leave_decider_unrecorded = false     # an import of decisions whose officer nobody wrote down
//! feed_key = "…"                           # a contractor: the X25519 public key that what it reads is sealed for, base64
//! ```
//!
//! [`accounts`](crate::accounts) makes the account boundary of it; the command-service looks rights up in it.

mod edit;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemas::command::{ActorKind, CommandBody};
use schemas::feed::FeedKey;
use schemas::{ClientName, ServiceName, TeamName};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::users::ServiceUser;

pub use edit::{Edited, Rights, add, revoke};

/// Some names, or every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed<T> {
    /// Every one, written `["*"]`.
    All,
    /// These.
    Only(BTreeSet<T>),
}

impl<T: Ord> Allowed<T> {
    /// Whether this one is among them.
    #[must_use]
    pub fn includes<Q: Ord + ?Sized>(&self, name: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
    {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

impl<T> Default for Allowed<T> {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl<T: fmt::Display> fmt::Display for Allowed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Only(names) => {
                let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for Allowed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Entry<T> {
            Name(T),
            Text(String),
        }
        let entries = Vec::<Entry<T>>::deserialize(deserializer)?;
        let mut names = BTreeSet::new();
        let mut all = false;
        for entry in entries {
            match entry {
                // A name may itself be any text, so that the star can come as either.
                Entry::Name(name) => _ = names.insert(name),
                Entry::Text(star) if star == "*" => all = true,
                Entry::Text(other) => return Err(D::Error::custom(format!("{other:?} is not a name of this kind"))),
            }
        }
        match (all, names.is_empty()) {
            (false, _) => Ok(Self::Only(names)),
            (true, true) => Ok(Self::All),
            (true, false) => Err(D::Error::custom("\"*\" stands for every one: leave the others out")),
        }
    }
}

/// A command's name, as the register may list it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CommandName(String);

impl std::borrow::Borrow<str> for CommandName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CommandName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if CommandBody::NAMES.contains(&name.as_str()) {
            Ok(Self(name))
        } else {
            Err(D::Error::custom(format!("{name:?} is no command")))
        }
    }
}

/// A client's entry.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// Its name on the bus.
    pub name: ClientName,
    /// Whose cases it may speak to.
    pub services: Allowed<ServiceName>,
    /// Whose events it may read.
    pub reads: Allowed<ServiceName>,
    /// For whom it may speak.
    pub actors: BTreeSet<ActorKind>,
    /// For the officers of which teams it may speak.
    pub teams: Allowed<TeamName>,
    /// Whether it may bring decisions whose officer nobody wrote down.
    pub may_leave_decider_unrecorded: bool,
    /// Of a contractor's client, which has a feed of jobs: the key that what it reads is sealed for.
    pub feed_key: Option<FeedKey>,
    commands: Allowed<CommandName>,
    password_hash: String,
}

impl Client {
    /// A part of the command-service itself that sends commands within its process, as a system of the council's. It has no
    /// account on the bus.
    #[must_use]
    pub fn of_the_council(name: ClientName) -> Self {
        Self {
            name,
            services: Allowed::All,
            reads: Allowed::All,
            actors: BTreeSet::from([ActorKind::System]),
            teams: Allowed::default(),
            may_leave_decider_unrecorded: false,
            feed_key: None,
            commands: Allowed::All,
            password_hash: String::new(),
        }
    }

    /// Whether it may send this command.
    #[must_use]
    pub fn may_send(&self, command: &str) -> bool {
        self.commands.includes(command)
    }

    /// Whether it may speak for an actor of this kind.
    #[must_use]
    pub fn may_speak_for(&self, kind: ActorKind) -> bool {
        self.actors.contains(&kind)
    }

    /// Whether it may speak for an officer of these teams: of one of them is enough.
    #[must_use]
    pub fn may_speak_for_a_team_of<'t>(&self, teams: impl IntoIterator<Item = &'t TeamName>) -> bool {
        teams.into_iter().any(|team| self.teams.includes(team))
    }

    /// Whether it may speak to cases of this service.
    #[must_use]
    pub fn may_speak_to(&self, service: &ServiceName) -> bool {
        self.services.includes(service)
    }

    /// Whether it has a feed of jobs: it is a contractor's.
    #[must_use]
    pub const fn has_feed(&self) -> bool {
        self.feed_key.is_some()
    }

    /// Whether it may read the events of this service.
    #[must_use]
    pub fn may_read(&self, service: &ServiceName) -> bool {
        self.reads.includes(service)
    }

    /// The commands that it may send, in words.
    #[must_use]
    pub fn commands_in_words(&self) -> String {
        self.commands.to_string()
    }

    /// The bcrypt hash of its password, for the accounts file.
    pub(crate) fn password_hash(&self) -> &str {
        &self.password_hash
    }
}

/// Prints no password, not even its hash.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A client register that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientFileError {
    /// The file can't be read or written.
    #[error("the client register {path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It does not say what it should.
    #[error("the client register is not valid: {0}")]
    Invalid(String),
    /// There is such a client already.
    #[error("there is a client {0} already: revoke it first, or choose another name")]
    Exists(ClientName),
    /// There is no such client.
    #[error("there is no client {0} in the register")]
    Unknown(ClientName),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    password: String,
    commands: Allowed<CommandName>,
    services: Allowed<ServiceName>,
    reads: Option<Allowed<ServiceName>>,
    actors: BTreeSet<ActorKind>,
    #[serde(default)]
    teams: Allowed<TeamName>,
    #[serde(default)]
    may_leave_decider_unrecorded: bool,
    #[serde(default)]
    feed_key: Option<FeedKey>,
}

/// All clients, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientRegister(BTreeMap<ClientName, Arc<Client>>);

impl ClientRegister {
    /// Reads a register.
    ///
    /// # Errors
    /// [`ClientFileError::Invalid`], with the line.
    pub fn parse(text: &str) -> Result<Self, ClientFileError> {
        let entries: BTreeMap<ClientName, Entry> =
            toml_edit::de::from_str(text).map_err(|error| ClientFileError::Invalid(error.to_string()))?;
        entries.into_iter().map(client).collect::<Result<_, _>>().map(Self)
    }

    /// Reads the register in a file.
    ///
    /// # Errors
    /// [`ClientFileError::File`] and [`ClientFileError::Invalid`].
    pub fn load(path: &Path) -> Result<Self, ClientFileError> {
        let text = std::fs::read_to_string(path);
        Self::parse(&text.map_err(|reason| ClientFileError::File {
            path: path.to_owned(),
            reason,
        })?)
    }

    /// A client, by name.
    #[must_use]
    pub fn get(&self, name: &ClientName) -> Option<Arc<Client>> {
        self.0.get(name).cloned()
    }

    /// Every client, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.0.values().map(AsRef::as_ref)
    }
}

fn client((name, entry): (ClientName, Entry)) -> Result<(ClientName, Arc<Client>), ClientFileError> {
    // Anything else would be the password itself, or an accounts file that says something else than it seems to.
    let is_hash = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '.' | '/');
    if !entry.password.starts_with("$2") || entry.password.len() != 60 || !entry.password.chars().all(is_hash) {
        return Err(ClientFileError::Invalid(format!(
            "the password of {name} is not a bcrypt hash: use `caseledger client add`"
        )));
    }
    let is_taken =
        name == ClientName::timekeeper() || ServiceUser::ALL.iter().any(|user| user.as_str() == name.as_str());
    if is_taken {
        return Err(ClientFileError::Invalid(format!(
            "{name} is the name of one of the services' own users: choose another"
        )));
    }
    let client = Client {
        name: name.clone(),
        reads: entry.reads.unwrap_or_else(|| entry.services.clone()),
        services: entry.services,
        actors: entry.actors,
        teams: entry.teams,
        may_leave_decider_unrecorded: entry.may_leave_decider_unrecorded,
        feed_key: entry.feed_key,
        commands: entry.commands,
        password_hash: entry.password,
    };
    Ok((name, Arc::new(client)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2b$06$abcdefghijklmnopqrstuuJ3gq3w2v0mZ6Fy3Wn1n2o3p4q5r6s7t";

    fn register(rights: &str) -> Result<ClientRegister, ClientFileError> {
        ClientRegister::parse(&format!("[website]\npassword = \"{HASH}\"\n{rights}"))
    }

    #[test]
    fn a_client_is_not_called_as_a_user_of_the_services_is() {
        let timekeeper = ClientName::timekeeper();
        for user in ServiceUser::ALL
            .iter()
            .map(|user| user.as_str())
            .chain([timekeeper.as_str()])
        {
            let text =
                format!("[{user}]\npassword = \"{HASH}\"\ncommands = []\nservices = []\nactors = []\nteams = []");
            assert!(
                matches!(ClientRegister::parse(&text), Err(ClientFileError::Invalid(_))),
                "{user}"
            );
        }
    }

    #[test]
    fn a_client_may_do_what_its_entry_lists_and_nothing_else() {
        let register = register(
            "commands = [\"SubmitRequest\"]\nservices = [\"waste\", \"highways\"]\nreads = [\"waste\"]\nactors = [\"resident\"]\nteams = [\"waste-client\"]",
        )
        .unwrap();
        let website = register.get(&ClientName::new("website").unwrap()).unwrap();
        let (waste, highways) = (
            ServiceName::new("waste").unwrap(),
            ServiceName::new("highways").unwrap(),
        );
        assert!(website.may_send("SubmitRequest") && !website.may_send("CloseRequest"));
        assert!(website.may_speak_to(&highways) && !website.may_read(&highways) && website.may_read(&waste));
        assert!(website.may_speak_for(ActorKind::Resident) && !website.may_speak_for(ActorKind::Officer));
        assert!(website.may_speak_for_a_team_of([&TeamName::new("waste-client").unwrap()]));
        assert!(!website.may_speak_for_a_team_of([&TeamName::new("legal").unwrap()]));
        assert!(!website.may_leave_decider_unrecorded && !website.has_feed());
        assert!(register.get(&ClientName::new("app").unwrap()).is_none());
    }

    #[test]
    fn a_star_stands_for_every_one_and_reading_follows_speaking() {
        let register =
            register("commands = [\"*\"]\nservices = [\"*\"]\nactors = [\"contractor\"]\nfeed_key = \"CbTCLSHmsAPXLbcEeD0FjCP6C9ZKBQ0jDEwUXCRg9H8=\"").unwrap();
        let website = register.get(&ClientName::new("website").unwrap()).unwrap();
        assert!(website.may_send("CloseRequest") && website.may_read(&ServiceName::new("registrars").unwrap()));
        assert!(website.has_feed() && website.teams == Allowed::default());
    }

    #[test]
    fn what_a_register_should_not_say_is_refused() {
        for wrong in [
            "commands = [\"MakeTea\"]\nservices = []\nactors = []",
            "commands = [\"*\", \"SubmitRequest\"]\nservices = []\nactors = []",
            "commands = []\nservices = [\"Waste!\"]\nactors = []",
            "commands = []\nservices = []\nactors = [\"robot\"]",
            "commands = []\nservices = []\nactors = []\ncolour = \"red\"",
            "commands = []\nservices = []",
        ] {
            assert!(matches!(register(wrong), Err(ClientFileError::Invalid(_))), "{wrong}");
        }
        let open = ClientRegister::parse("[website]\npassword = \"secret\"\ncommands = []\nservices = []\nactors = []");
        assert!(!open.unwrap_err().to_string().contains("secret"));
    }
}
