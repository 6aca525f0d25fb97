//! What happened to a case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::ClockStanding;
use crate::command::words;
use crate::command::{Decider, InformationWanted, NoticeMedium};
use crate::ids::{
    CaseId, CustomerId, EventId, OfficerId, OutcomeCode, Position, QuestionId, RequestTypeCode, ServiceName, TeamName,
};
use crate::located::Located;
use crate::moment::Day;
use crate::personal::{Answers, Personal, recorded_answers};
use crate::reference::Reference;
use crate::text::{ExternalId, Place, RuleCode, Text};

words!(
    /// What kind of case a request type makes.
    RequestClass {
        /// Something is to be done on a street or at a door.
        ServiceRequest = "service_request",
        /// Somebody asks for an entitlement.
        Application = "application",
        /// Somebody takes a slot.
        Booking = "booking",
        /// Somebody is dissatisfied.
        Complaint = "complaint",
        /// Somebody asks for what the council holds.
        InformationRequest = "information_request",
    }
);

words!(
    /// Whether an outcome is somebody's decision or the end of some work.
    OutcomeKind {
        /// A named officer decided, with reasons.
        Decision = "decision",
        /// The work was done; a crew of the contractor may report it.
        Completion = "completion",
    }
);

/// A case was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestSubmitted {
    /// The case's reference, which people quote.
    pub reference: Reference,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// The request type of the catalogue, such as `missed-bin`.
    pub request_type: RequestTypeCode,
    /// What kind of case the request type makes.
    pub class: RequestClass,
    /// The request type's name in reports, which outlives versions of the catalogue.
    pub reporting_code: String,
    /// The version of the catalogue that the case is handled under from now on.
    pub catalogue_version: String,
    /// Whose case it is; absent where the report was anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The case whose next stage this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Follows>,
    /// What it is about, in the resident's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Personal<Text>>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Personal<Place>>,
    /// In which areas that is; absent where the place has no coordinates, or the council gave no boundaries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub located: Option<Located>,
    /// Answers to the type's own questions, by question: in clear where the catalogue marks the question open, otherwise sealed.
    #[serde(
        default,
        deserialize_with = "recorded_answers",
        skip_serializing_if = "Answers::is_empty"
    )]
    pub answers: Answers,
    /// The day that clocks start from.
    pub received_on: Day,
    /// The team that delivers it.
    pub team: TeamName,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
}

/// The case whose next stage another is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Follows {
    /// Its id.
    pub case_id: CaseId,
    /// The officers who decided it. None of them decides its next stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided_by: Vec<OfficerId>,
}

/// The case was added to or corrected: what is absent stayed as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestUpdated {
    /// What it is about, in the resident's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Personal<Text>>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Personal<Place>>,
    /// In which areas the new place is; of a new place without coordinates that is no longer known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub located: Option<Located>,
    /// The answers that were added or changed, by question: in clear where the catalogue marks the question open, otherwise sealed.
    #[serde(
        default,
        deserialize_with = "recorded_answers",
        skip_serializing_if = "Answers::is_empty"
    )]
    pub answers: Answers,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The case was given to a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestAssigned {
    /// The team that has the case from now on.
    pub team: TeamName,
    /// The officer of that team, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<OfficerId>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The person was asked for something; the case waits for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InformationAskedFor {
    /// What kind of thing.
    pub wanted: InformationWanted,
    /// The question, as the person reads it.
    pub question: Personal<Text>,
    /// The day that clocks go by.
    pub asked_on: Day,
    /// By when the council would like it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Day>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
}

/// What was asked for came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InformationProvided {
    /// What was asked for.
    pub wanted: InformationWanted,
    /// The answer, in the person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Personal<Text>>,
    /// The answers that were added or changed, by question: in clear where the catalogue marks the question open, otherwise sealed.
    #[serde(
        default,
        deserialize_with = "recorded_answers",
        skip_serializing_if = "Answers::is_empty"
    )]
    pub answers: Answers,
    /// The day that clocks go by.
    pub received_on: Day,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
}

/// An officer noted something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoteAdded {
    /// The note.
    pub note: Personal<Text>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The case is no longer wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestCancelled {
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The case ended with an outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestClosed {
    /// What came of it: one of the outcomes that the catalogue lists for the request type.
    pub outcome: OutcomeCode,
    /// Whether that outcome is a decision or the end of some work.
    pub outcome_kind: OutcomeKind,
    /// Who decided. Absent of a completion that the contractor's crew reported: the event's actor says who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Decider>,
    /// The reasons, as the person concerned may read them. Always there where an officer decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Personal<Text>>,
    /// The rule that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleCode>,
    /// The exemptions or exceptions relied on, each by its section or regulation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<RuleCode>,
    /// What was considered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Personal<Text>>,
    /// Why it is closed, in the actor's words, where that is said beside the reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// A closed case was taken up again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestReopened {
    /// How often the case has been reopened, this time included.
    pub times: u32,
    /// The team that it goes back to.
    pub team: TeamName,
    /// The outcome that it had been closed with.
    pub previous_outcome: OutcomeCode,
    /// Why, in the actor's words.
    pub reason: Personal<Text>,
    /// The day that clocks start from anew.
    pub received_on: Day,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
}

/// A notice was handed to the mail server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationSent {
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
    /// The email's Message-ID (RFC 5322).
    pub message_id: ExternalId,
    /// How many attempts it took.
    pub attempts: u32,
}

words!(
    /// Why a notice did not reach anybody.
    NotificationFailure {
        /// There is no address to send it to.
        NoAddress = "no_address",
        /// The mail server refused it, or could not be reached until it was given up.
        GivenUp = "given_up",
        /// They do not want any: they withdrew their consent.
        ConsentWithdrawn = "consent_withdrawn",
        /// They died.
        Deceased = "deceased",
        /// They want to be reached by another medium: somebody has to do that.
        PrefersAnotherMedium = "prefers_another_medium",
        /// What it needs can no longer be read: the person's data was erased, or its key is gone.
        NotReadable = "not_readable",
    }
);

/// A notice did not reach anybody: an officer has to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationFailed {
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
    /// Why it did not reach them.
    pub failure: NotificationFailure,
    /// The email's Message-ID (RFC 5322): a server that was asked may know it. Absent where none was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<ExternalId>,
    /// The mail server's last reply code, such as `550`, or `timeout`, `unreachable`. Absent where no server was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ExternalId>,
    /// How many attempts were made.
    pub attempts: u32,
}
