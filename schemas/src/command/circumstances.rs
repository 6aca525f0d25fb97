//! What every command says of itself: who acts, for whom, over which channel, when.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::ids::{ClientName, CustomerId, InvalidName, OfficerId, Version};
use crate::moment::{Day, Instant};
use crate::personal::{OpenField, Personal, SealFieldError};
use crate::sealed::Sealed;
use crate::text::{ChannelDetail, ExternalId, Text};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every one, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that the contract uses.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}
pub(crate) use words;

words!(
    /// What kind of person or system acts.
    ActorKind {
        /// The person concerned.
        Resident = "resident",
        /// Somebody who acts for them.
        Representative = "representative",
        /// An officer of the council.
        Officer = "officer",
        /// A contractor's crew or system.
        Contractor = "contractor",
        /// A system of the council.
        System = "system",
    }
);

words!(
    /// How sure the client is of the actor.
    Assurance {
        /// Signed in to an account.
        SignedIn = "signed_in",
        /// Answered the questions asked on the phone.
        PhoneQuestions = "phone_questions",
        /// Seen in person, with proof.
        Seen = "seen",
        /// Not at all.
        None = "none",
    }
);

words!(
    /// How a command reached the council.
    Channel {
        /// The website.
        Online = "online",
        /// The app.
        App = "app",
        /// A phone call.
        Phone = "phone",
        /// A message left.
        Voicemail = "voicemail",
        /// An email.
        Email = "email",
        /// A letter.
        Letter = "letter",
        /// At a hub or a door.
        FaceToFace = "face_to_face",
        /// A text message.
        Sms = "sms",
        /// Social media.
        Social = "social",
        /// A councillor or member of Parliament.
        MemberEnquiry = "member_enquiry",
        /// A contractor's crew.
        Crew = "crew",
        /// Found by an officer.
        OfficerFound = "officer_found",
        /// A system of the council.
        System = "system",
    }
);

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = [
    {
        "if": { "properties": { "kind": { "enum": ["resident", "representative"] } } },
        "then": { "properties": { "id": { "format": "uuid" } } },
        "else": { "properties": { "id": { "type": "string" } }, "required": ["id"] },
    },
]))]
pub struct Actor {
    /// What kind of person or system acts.
    pub kind: ActorKind,
    /// Who acts: the customer id (a UUID) of a resident or representative, the id of an officer in the officer register, the name
    /// of a contractor or system. Never a person's name. Absent only where a resident or representative is not known.
    #[serde(default)]
    pub id: Option<ActorId>,
    /// How sure the sender is of the actor.
    #[serde(default = "Assurance::none")]
    pub assurance: Assurance,
}

impl Assurance {
    const fn none() -> Self {
        Self::None
    }
}

/// The id of an actor. Never a name or an address: a person's is a UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum ActorId {
    /// A resident or representative.
    Person(Uuid),
    /// An officer.
    Officer(OfficerId),
    /// A contractor or a system.
    Service(ClientName),
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Officer(id) => id.fmt(f),
            Self::Service(id) => id.fmt(f),
        }
    }
}

impl JsonSchema for ActorId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ActorId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": OfficerId::PATTERN })
    }
}

impl Actor {
    /// An officer.
    #[must_use]
    pub const fn officer(id: OfficerId, assurance: Assurance) -> Self {
        Self {
            kind: ActorKind::Officer,
            id: Some(ActorId::Officer(id)),
            assurance,
        }
    }

    /// A system of the council.
    #[must_use]
    pub const fn system(name: ClientName) -> Self {
        Self {
            kind: ActorKind::System,
            id: Some(ActorId::Service(name)),
            assurance: Assurance::None,
        }
    }

    /// The officer, where it is one.
    #[must_use]
    pub const fn as_officer(&self) -> Option<&OfficerId> {
        match &self.id {
            Some(ActorId::Officer(id)) => Some(id),
            _ => None,
        }
    }

    /// The customer who acts, for themselves or for somebody else.
    #[must_use]
    pub const fn as_person(&self) -> Option<CustomerId> {
        match &self.id {
            Some(ActorId::Person(id)) => Some(CustomerId(*id)),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorAsWritten {
    kind: ActorKind,
    #[serde(default)]
    id: Option<String>,
    #[serde(default = "Assurance::none")]
    assurance: Assurance,
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = ActorAsWritten::deserialize(deserializer)?;
        let service = |id: &str| {
            ClientName::new(id)
                .map(ActorId::Service)
                .map_err(|InvalidName { pattern, .. }| pattern)
        };
        let read = |id: &str| match written.kind {
            ActorKind::Resident | ActorKind::Representative => Uuid::parse_str(id)
                .map(ActorId::Person)
                .map_err(|_| "a UUID, the customer's id"),
            ActorKind::Officer => OfficerId::new(id).map(ActorId::Officer).map_err(|_| "an officer's id"),
            ActorKind::Contractor | ActorKind::System => service(id).map_err(|_| "a contractor's or system's name"),
        };
        let id = written.id.as_deref().map(read).transpose();
        let id = id.map_err(|form| serde::de::Error::custom(format!("expected as id of this kind of actor {form}")))?;
        let needed = !matches!(written.kind, ActorKind::Resident | ActorKind::Representative);
        if needed && id.is_none() {
            return Err(serde::de::Error::custom(
                "expected an id: only a resident or representative may be unknown",
            ));
        }
        Ok(Self {
            kind: written.kind,
            id,
            assurance: written.assurance,
        })
    }
}

/// A case or command as another system knows it; unique per system.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalRef {
    /// The other system.
    pub system: ExternalId,
    /// The id there.
    pub id: ExternalId,
}

/// What every command's data may say beside its own fields.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Circumstances {
    /// Who acts.
    pub actor: Actor,
    /// The customer acted for, where a representative or officer acts.
    #[serde(default)]
    pub on_behalf_of: Option<CustomerId>,
    /// How it reached the council.
    pub channel: Channel,
    /// The channel as the source names it, such as `Mobile App`. Kept in clear.
    #[serde(default)]
    pub channel_detail: Option<ChannelDetail>,
    /// When it happened, not later than now. Where it is absent, the instant of recording counts.
    #[serde(default)]
    pub occurred_at: Option<Instant>,
    /// The day that clocks start from, not later than today. Where it is absent, the London day of `occurred_at` counts.
    #[serde(default)]
    pub received_on: Option<Day>,
    /// The command as another system knows it; unique per system.
    #[serde(default)]
    pub external_ref: Option<ExternalRef>,
    /// Why it is asked or done, in the actor's words.
    #[serde(default)]
    pub reason: Option<Personal<Text>>,
    /// The version of the privacy notice that was shown to the person.
    #[serde(default)]
    pub notice_version: Option<ExternalId>,
    /// The version of the case or customer that the sender decided on. Where it has moved on, the command is rejected.
    #[serde(default)]
    pub expected_version: Option<Version>,
}

/// The names of the members of [`Circumstances`].
pub(crate) const CIRCUMSTANCES: &[&str] = &[
    "actor",
    "on_behalf_of",
    "channel",
    "channel_detail",
    "occurred_at",
    "received_on",
    "external_ref",
    "reason",
    "notice_version",
    "expected_version",
];

impl Circumstances {
    /// Seals the reason.
    ///
    /// # Errors
    /// See [`crate::personal::SealFields`].
    pub fn seal_fields<E>(
        &mut self,
        seal: &mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>,
    ) -> Result<(), SealFieldError<E>> {
        self.reason
            .as_mut()
            .map_or(Ok(()), |reason| reason.seal_at("/reason", seal))
    }
}
