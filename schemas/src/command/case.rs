//! Commands to a case.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{CustomerId, EventId, OfficerId, OutcomeCode, Position, QuestionId, RequestTypeCode, TeamName};
use crate::json::escape;
use crate::personal::{Answers, OpenField, Personal, SealFieldError, SealFields};
use crate::sealed::Sealed;
use crate::text::{ExternalId, Place, Text};

/// Opens a case.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// What is asked for, by the catalogue.
    pub request_type: RequestTypeCode,
    /// Whose case it is; may be absent where the type allows anonymous reports.
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
    /// In the resident's words.
    #[serde(default)]
    pub description: Option<Personal<Text>>,
    /// Where.
    #[serde(default)]
    pub place: Option<Personal<Place>>,
    /// Answers to the type's own questions.
    #[serde(default)]
    pub answers: Answers,
}

/// Adds to an open case or corrects it: what is given replaces what was there.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateRequest {
    /// See [`SubmitRequest::description`].
    #[serde(default)]
    pub description: Option<Personal<Text>>,
    /// See [`SubmitRequest::place`].
    #[serde(default)]
    pub place: Option<Personal<Place>>,
    /// See [`SubmitRequest::answers`]; other answers stay.
    #[serde(default)]
    pub answers: Answers,
}

/// Ends an open case because it is no longer wanted.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {}

/// Takes a closed case up again. `reason` is required.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenRequest {}

/// Gives an open case to a team, and to an officer of it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRequest {
    /// The team.
    pub team: TeamName,
    /// The officer, where one is named.
    #[serde(default)]
    pub officer: Option<OfficerId>,
}

/// Ends an open case with an outcome.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// What came of it, by the type's catalogue entry.
    pub outcome: OutcomeCode,
    /// Who decided. Where it is absent and an officer acts, that officer did.
    #[serde(default)]
    pub decided_by: Option<Decider>,
    /// The reasons, as the person concerned may read them. Required, except of a decision `not_recorded`.
    #[serde(default)]
    pub reasons: Option<Personal<Text>>,
}

/// Who decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Decider {
    /// A named officer.
    Officer {
        /// Which.
        id: OfficerId,
    },
    /// Another system did not keep it. Only a client with that right may say so.
    NotRecorded,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeciderAsWritten {
    kind: DeciderKind,
    #[serde(default)]
    id: Option<OfficerId>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeciderKind {
    Officer,
    NotRecorded,
}

impl<'de> Deserialize<'de> for Decider {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = DeciderAsWritten::deserialize(deserializer)?;
        match (written.kind, written.id) {
            (DeciderKind::Officer, Some(id)) => Ok(Self::Officer { id }),
            (DeciderKind::NotRecorded, None) => Ok(Self::NotRecorded),
            (DeciderKind::Officer, None) => Err(serde::de::Error::custom("expected the deciding officer's id")),
            (DeciderKind::NotRecorded, Some(_)) => {
                Err(serde::de::Error::custom("expected no id where the decider is not recorded"))
            }
        }
    }
}

/// Records what became of one notice. Sent by the notifier.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordNotification {
    /// Which notice, by the catalogue.
    pub notice: QuestionId,
    /// The event that it tells of, and …
    pub about_event: EventId,
    /// … its position.
    pub about_position: Position,
    /// Whom it is for.
    pub recipient: CustomerId,
    /// Over which medium.
    pub medium: NoticeMedium,
    /// What became of it.
    pub delivery: Delivery,
}

/// The medium of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeMedium {
    /// Email.
    Email,
}

/// What became of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Delivery {
    /// The mail server took it. That is not yet "read".
    Sent {
        /// Its Message-ID (RFC 5322), the same for each repeat.
        message_id: ExternalId,
        /// How many attempts it took.
        attempts: u32,
    },
    /// It could not be sent and will not be tried again.
    Failed {
        /// Its Message-ID.
        message_id: ExternalId,
        /// How many attempts were made.
        attempts: u32,
        /// The mail server's last reply code, such as `550`, or `timeout`, `unreachable`.
        code: ExternalId,
    },
    /// There was nowhere to send it.
    NoAddress,
}

type Seal<'s, E> = &'s mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>;

fn seal_content<E>(
    description: Option<&mut Personal<Text>>,
    place: Option<&mut Personal<Place>>,
    answers: &mut Answers,
    seal: Seal<'_, E>,
) -> Result<(), SealFieldError<E>> {
    if let Some(description) = description {
        description.seal_at("/description", seal)?;
    }
    if let Some(place) = place {
        place.seal_at("/place", seal)?;
    }
    for (question, answer) in answers {
        answer.seal_at(&format!("/answers/{}", escape(question.as_str())), seal)?;
    }
    Ok(())
}

impl SealFields for SubmitRequest {
    /// Answers that the catalogue marks `open` must have been opened before.
    fn seal_fields<E>(&mut self, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        seal_content(self.description.as_mut(), self.place.as_mut(), &mut self.answers, seal)
    }
}

impl SealFields for UpdateRequest {
    /// As for [`SubmitRequest`].
    fn seal_fields<E>(&mut self, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        seal_content(self.description.as_mut(), self.place.as_mut(), &mut self.answers, seal)
    }
}

impl SealFields for CloseRequest {
    fn seal_fields<E>(&mut self, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        self.reasons.as_mut().map_or(Ok(()), |reasons| reasons.seal_at("/reasons", seal))
    }
}

macro_rules! nothing_personal {
    ($($name:ident),+) => {
        $(impl SealFields for $name {
            fn seal_fields<E>(&mut self, _: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
                Ok(())
            }
        })+
    };
}
nothing_personal!(CancelRequest, ReopenRequest, AssignRequest, RecordNotification);
