//! Commands to a case.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{SealMember, seals};
use crate::command::words;
use crate::ids::{
    CaseId, CustomerId, EventId, OfficerId, OutcomeCode, Position, QuestionId, RequestTypeCode, TeamName,
};
use crate::json::escape;
use crate::moment::Day;
use crate::personal::{Answers, OpenField, Personal, SealFieldError, SealFields};
use crate::sealed::Sealed;
use crate::text::{ExternalId, Place, RuleCode, Text};

/// Opens a case: somebody asks the council for something, reports something or complains.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// What is asked for: a request type of the catalogue, such as `missed-bin`.
    pub request_type: RequestTypeCode,
    /// Whose case it is; may be absent where the type allows anonymous reports.
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
    /// The case whose next stage this is: a stage 2 review, an internal review, the review of a badge, the ombudsman's enquiry.
    /// That case is closed, and has no other next stage of this type.
    #[serde(default)]
    pub follows: Option<CaseId>,
    /// What it is about, in the resident's words.
    #[serde(default)]
    pub description: Option<Personal<Text>>,
    /// Where it is.
    #[serde(default)]
    pub place: Option<Personal<Place>>,
    /// Answers to the type's own questions, by question.
    #[serde(default)]
    pub answers: Answers,
}

/// Adds to an open case or corrects it: what is given replaces what was there, what is absent stays.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateRequest {
    /// The description as it now reads, in the resident's words.
    #[serde(default)]
    pub description: Option<Personal<Text>>,
    /// The place as it is now known.
    #[serde(default)]
    pub place: Option<Personal<Place>>,
    /// Answers to the type's own questions, by question; answers to other questions stay.
    #[serde(default)]
    pub answers: Answers,
}

/// Ends an open case because it is no longer wanted. An officer who does so on nobody's behalf gives the reason, and must be of
/// a team that decides such cases.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {}

/// Takes a closed case up again. The reason is required.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["reason"]))]
pub struct ReopenRequest {}

/// Gives an open case to a team, and to an officer of it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRequest {
    /// The team that has it from now on.
    pub team: TeamName,
    /// The officer of that team, where one is named.
    #[serde(default)]
    pub officer: Option<OfficerId>,
}

words!(
    /// What the council asks a person for. Which clocks wait for it follows from what it is.
    InformationWanted {
        /// What they mean, or where to look.
        Clarification = "clarification",
        /// Who they are, or that they may act for somebody.
        Identity = "identity",
        /// What shows that they qualify.
        Evidence = "evidence",
        /// A fee, which has to be paid first. That it was paid is for an officer or a system to say.
        Fee = "fee",
    }
);

/// Asks the person whose case it is for something that the council needs. An officer does. What was asked by letter or phone
/// before says with `received_on` when: clocks go by that day.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskForInformation {
    /// What kind of thing.
    pub wanted: InformationWanted,
    /// The question, as the person reads it.
    pub question: Personal<Text>,
    /// By when the council would like it; no law is behind it.
    #[serde(default)]
    pub answer_by: Option<Day>,
}

/// Gives what was asked for. What came by letter says with `received_on` when it came: clocks go by that day.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvideInformation {
    /// What was asked for.
    pub wanted: InformationWanted,
    /// The answer, in the person's words. Of a document that was seen: that it was, not a copy.
    #[serde(default)]
    pub answer: Option<Personal<Text>>,
    /// Answers to the type's own questions, by question, where those were asked again.
    #[serde(default)]
    pub answers: Answers,
}

/// Adds an officer's note to a case, whatever its status. The person concerned may ask to see it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddNote {
    /// The note.
    pub note: Personal<Text>,
}

/// Ends an open case with an outcome.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// What came of it: one of the outcomes that the catalogue lists for the request type.
    pub outcome: OutcomeCode,
    /// Who decided. Where it is absent and an officer acts, that officer did.
    #[serde(default)]
    pub decided_by: Option<Decider>,
    /// The reasons, as the person concerned may read them. Required where an officer decides.
    #[serde(default)]
    pub reasons: Option<Personal<Text>>,
    /// The rule applied, as a code, such as `si-2000-682:4(1)(b)`.
    #[serde(default)]
    pub rule: Option<RuleCode>,
    /// The exemptions or exceptions relied on, each by its section or regulation, such as `foia-2000:40(2)`.
    #[serde(default)]
    pub exemptions: Vec<RuleCode>,
    /// What was considered.
    #[serde(default)]
    pub evidence: Option<Personal<Text>>,
}

/// Who decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(deny_unknown_fields)]
pub enum Decider {
    /// A named officer.
    Officer {
        /// The officer's id in the officer register.
        id: OfficerId,
    },
    /// Another system decided and did not keep who it was. Only a client with that right may say so.
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
            (DeciderKind::NotRecorded, Some(_)) => Err(serde::de::Error::custom(
                "expected no id where the decider is not recorded",
            )),
        }
    }
}

/// Records what became of one notice to a customer. Sent by the notifier, a system of the council.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordNotification {
    /// Which of the catalogue's notices it is.
    pub notice: QuestionId,
    /// The id of the event that it tells of.
    pub about_event: EventId,
    /// The position of the event that it tells of.
    pub about_position: Position,
    /// The customer whom it is for.
    pub recipient: CustomerId,
    /// The medium that it went by.
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
#[serde(tag = "result", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delivery {
    /// The mail server took it. That is not yet "read".
    Sent {
        /// The email's Message-ID (RFC 5322), the same for each repeat.
        message_id: ExternalId,
        /// How many attempts it took.
        attempts: u32,
    },
    /// It could not be sent and will not be tried again.
    Failed {
        /// The email's Message-ID.
        message_id: ExternalId,
        /// How many attempts were made.
        attempts: u32,
        /// The mail server's last reply code, such as `550`, or `timeout`, `unreachable`.
        code: ExternalId,
    },
    /// There was nowhere to send it.
    NoAddress,
    /// They withdrew their consent before it was sent.
    ConsentWithdrawn {
        /// How many attempts were made before.
        attempts: u32,
    },
    /// They died.
    Deceased {
        /// How many attempts were made before.
        attempts: u32,
    },
    /// They want to be reached by another medium: somebody has to do that.
    PrefersAnotherMedium {
        /// How many attempts were made before.
        attempts: u32,
    },
    /// What it needs can no longer be read: the person's data was erased, or its key is gone.
    NotReadable {
        /// How many attempts were made before.
        attempts: u32,
    },
}

type Seal<'s, E> = &'s mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>;

/// Answers that the catalogue marks `open` must have been opened before.
pub(super) fn seal_answers<E>(answers: &mut Answers, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
    for (question, answer) in answers {
        answer.seal_at(&format!("/answers/{}", escape(question.as_str())), seal)?;
    }
    Ok(())
}

impl SealFields for SubmitRequest {
    /// Answers that the catalogue marks `open` must have been opened before.
    fn seal_fields<E>(&mut self, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        self.description.seal_member("/description", seal)?;
        self.place.seal_member("/place", seal)?;
        seal_answers(&mut self.answers, seal)
    }
}

impl SealFields for UpdateRequest {
    /// As for [`SubmitRequest`].
    fn seal_fields<E>(&mut self, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        self.description.seal_member("/description", seal)?;
        self.place.seal_member("/place", seal)?;
        seal_answers(&mut self.answers, seal)
    }
}

impl SealFields for ProvideInformation {
    fn seal_fields<E>(&mut self, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        self.answer.seal_member("/answer", seal)?;
        seal_answers(&mut self.answers, seal)
    }
}

seals!(CloseRequest: reasons, evidence);
seals!(AskForInformation: question);
seals!(AddNote: note);
seals!(CancelRequest:);
seals!(ReopenRequest:);
seals!(AssignRequest:);
seals!(RecordNotification:);
