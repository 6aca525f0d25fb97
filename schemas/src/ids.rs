//! Identifiers and names, one type each, so that none can stand where another belongs.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::moment::Day;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id!(
    /// A customer: the person a case is for. Also the id of the customer's stream.
    CustomerId
);
uuid_id!(
    /// A case: one request, application, booking, complaint or information request. Also the id of its stream.
    CaseId
);
uuid_id!(
    /// What somebody was granted with a term. Also the id of its stream.
    EntitlementId
);
uuid_id!(
    /// A stream of whatever kind: a customer's, a case's, an entitlement's or a round's.
    AggregateId
);
uuid_id!(
    /// Made by the sender of a command. With the client's name it is the idempotency key.
    CommandId
);
uuid_id!(
    /// One event (UUIDv7).
    EventId
);
uuid_id!(
    /// A file in the object store.
    AttachmentId
);
uuid_id!(
    /// One row of the vault: the key of one person in one stream for one category.
    KeyId
);

impl From<CustomerId> for AggregateId {
    fn from(id: CustomerId) -> Self {
        Self(id.0)
    }
}

impl From<CaseId> for AggregateId {
    fn from(id: CaseId) -> Self {
        Self(id.0)
    }
}

impl From<EntitlementId> for AggregateId {
    fn from(id: EntitlementId) -> Self {
        Self(id.0)
    }
}

impl AggregateId {
    /// The id of an aggregate that a command brings into being: a UUIDv5 of client and command id, so that the sender knows
    /// it before the answer comes.
    ///
    /// The namespace is the UUIDv5 of `caseledger.aggregate` under the URL namespace; the name is
    /// `<client>/<command id>` with the id in lower-case hyphenated form.
    #[must_use]
    pub fn of_command(client: &ClientName, command_id: CommandId) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"caseledger.aggregate");
        Self(Uuid::new_v5(&namespace, format!("{client}/{command_id}").as_bytes()))
    }
}

impl AggregateId {
    /// The id of a contractor's round on a day: whoever speaks of it knows it.
    ///
    /// The namespace is the UUIDv5 of `caseledger.round` under the URL namespace; the name is `<contractor>/<round>/<day>`.
    #[must_use]
    pub fn of_round(contractor: &ClientName, round: &RoundName, day: Day) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"caseledger.round");
        Self(Uuid::new_v5(
            &namespace,
            format!("{contractor}/{round}/{day}").as_bytes(),
        ))
    }
}

/// A place in the log. The first event has position 1; 0 is "before the first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Position(pub i64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// The position that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl From<i64> for Position {
    fn from(position: i64) -> Self {
        Self(position)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many events a stream holds; the sequence of its last event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Version(pub i64);

impl From<i64> for Version {
    fn from(version: i64) -> Self {
        Self(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A name that does not have the form its kind asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {kind} must match {pattern}")]
pub struct InvalidName {
    /// The kind of name, in words.
    pub kind: &'static str,
    /// The form asked for, as a regular expression.
    pub pattern: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $pattern:literal, $longest:literal, $first:expr, $rest:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The form of the name, as a regular expression (ECMA-262).
            pub const PATTERN: &'static str = $pattern;

            /// Takes a name that has the right form.
            ///
            /// # Errors
            /// [`InvalidName`] when it has not.
            pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
                let name = name.into();
                let first: fn(&char) -> bool = $first;
                let rest: fn(&char) -> bool = $rest;
                let mut characters = name.chars();
                let well_formed = name.len() <= $longest
                    && characters.next().is_some_and(|c| first(&c))
                    && characters.all(|c| rest(&c));
                if well_formed {
                    Ok(Self(name))
                } else {
                    Err(InvalidName { kind: $kind, pattern: $pattern })
                }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

const LOWER: fn(&char) -> bool = |c| c.is_ascii_lowercase();
const SLUG: fn(&char) -> bool = |c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
const SNAKE: fn(&char) -> bool = |c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
const ALPHANUMERIC: fn(&char) -> bool = |c| c.is_ascii_alphanumeric();
const STAFF: fn(&char) -> bool = |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');

name!(
    /// The sender's name on the bus: one token of a subject.
    ClientName, "client name", "^[a-z][a-z0-9-]{0,31}$", 32, LOWER, SLUG
);
name!(
    /// One of the council's services, such as `waste`: one token of a subject, and a file of the catalogue.
    ServiceName, "service name", "^[a-z][a-z0-9-]{0,31}$", 32, LOWER, SLUG
);
impl ServiceName {
    /// The service that the events of customers themselves belong to.
    #[must_use]
    pub fn customer_services() -> Self {
        Self("customer-services".to_owned())
    }
}

impl QuestionId {
    /// What the only fee of a request type is called.
    #[must_use]
    pub fn fee() -> Self {
        Self("fee".to_owned())
    }
}

impl ClientName {
    /// As which client the commands are recorded by which time comes in. Nobody on the bus is called so.
    #[must_use]
    pub fn timekeeper() -> Self {
        Self("timekeeper".to_owned())
    }
}

name!(
    /// A request type of the catalogue, such as `missed-bin`.
    RequestTypeCode, "request type", "^[a-z][a-z0-9-]{0,47}$", 48, LOWER, SLUG
);
name!(
    /// What came of a case, as its type's catalogue entry lists it, such as `collected`.
    OutcomeCode, "outcome", "^[a-z][a-z0-9-]{0,47}$", 48, LOWER, SLUG
);
name!(
    /// A team of officers, or of a contractor.
    TeamName, "team", "^[a-z][a-z0-9-]{0,47}$", 48, LOWER, SLUG
);
name!(
    /// One of a request type's own questions.
    QuestionId, "question", "^[a-z][a-z0-9_]{0,47}$", 48, LOWER, SNAKE
);
name!(
    /// An officer, by the name that the officer register knows them under. Not a personal value: an officer answers for
    /// what they decide.
    OfficerId, "officer id", "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$", 64, ALPHANUMERIC, STAFF
);

name!(
    /// A contractor's own code for a kind of work, or for what came of it. The catalogue's code map says what it stands for.
    ContractorCode, "contractor's code", "^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$", 32, ALPHANUMERIC,
    |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
);

name!(
    /// Through whom somebody pays, such as `gov-pay` or `cash-desk`.
    ProviderName, "payment provider", "^[a-z][a-z0-9-]{0,31}$", 32, LOWER, SLUG
);

name!(
    /// A contractor's collection round, such as `TUE-3`.
    RoundName, "round", "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$", 32, ALPHANUMERIC,
    |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
);

name!(
    /// A calendar of appointments of the catalogue, such as `registry-office`.
    CalendarName, "calendar", "^[a-z][a-z0-9-]{0,31}$", 32, LOWER, SLUG
);

name!(
    /// What can be granted with a term, as the catalogue calls it, such as `blue-badge`.
    EntitlementName, "entitlement", "^[a-z][a-z0-9-]{0,47}$", 48, LOWER, SLUG
);

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "u32", into = "u32")]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The first.
            pub const FIRST: Self = Self(NonZeroU32::MIN);

            /// The one after it.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl TryFrom<u32> for $name {
            type Error = InvalidName;

            fn try_from(number: u32) -> Result<Self, Self::Error> {
                let number = NonZeroU32::new(number);
                number.map(Self).ok_or(InvalidName { kind: $kind, pattern: "^[1-9][0-9]*$" })
            }
        }

        impl From<$name> for u32 {
            fn from(number: $name) -> Self {
                number.0.get()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "integer", "minimum": 1, "maximum": u32::MAX })
            }
        }
    };
}

number!(
    /// The number of an appointment within its case, from 1.
    AppointmentNumber, "appointment number"
);
number!(
    /// The number of a job within its case, from 1.
    JobNumber, "job number"
);
number!(
    /// The number of a payment within its case, from 1.
    PaymentNumber, "payment number"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_what_their_pattern_takes_and_nothing_else() {
        assert!(ClientName::new("contact-centre").is_ok());
        for wrong in ["", "Website", "-x", "a.b", "a b", "a*", "a>", &"a".repeat(33)] {
            assert!(ClientName::new(wrong).is_err(), "{wrong:?}");
        }
        assert!(OfficerId::new("j.doe@council").is_ok());
        assert!(QuestionId::new("bin_type").is_ok());
        assert!(QuestionId::new("bin-type").is_err());
        assert_eq!(
            ServiceName::new("customer-services"),
            Ok(ServiceName::customer_services())
        );
    }

    #[test]
    fn the_id_of_a_new_aggregate_follows_from_client_and_command() {
        let client = ClientName::new("website").unwrap();
        let command = CommandId(Uuid::from_u128(1));
        let id = AggregateId::of_command(&client, command);
        assert_eq!(id, AggregateId::of_command(&client, command));
        assert_ne!(id, AggregateId::of_command(&ClientName::new("app").unwrap(), command));
        assert_eq!(id.to_string(), "7db7751a-0916-5c74-a29d-fbf1cef4c6e7");
    }
}
