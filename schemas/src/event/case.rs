//! What happened to a case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{Decider, NoticeMedium};
use crate::command::words;
use crate::ids::{CustomerId, EventId, OfficerId, OutcomeCode, Position, QuestionId, RequestTypeCode, ServiceName, TeamName};
use crate::moment::Day;
use crate::personal::{Answers, Personal, recorded_answers};
use crate::reference::Reference;
use crate::text::{ExternalId, Place, Text};

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
    /// What people quote.
    pub reference: Reference,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// What is asked for.
    pub request_type: RequestTypeCode,
    /// What kind of case that makes.
    pub class: RequestClass,
    /// The name for reports, which outlives versions of the catalogue.
    pub reporting_code: String,
    /// The catalogue that the case is handled under from now on.
    pub catalogue_version: String,
    /// Whose case it is; absent where the report was anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// In the resident's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Personal<Text>>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Personal<Place>>,
    /// Answers to the type's own questions.
    #[serde(default, deserialize_with = "recorded_answers", skip_serializing_if = "Answers::is_empty")]
    pub answers: Answers,
    /// The day that clocks start from.
    pub received_on: Day,
    /// The team that delivers it.
    pub team: TeamName,
}

/// Something was added or corrected: what is absent stayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestUpdated {
    /// In the resident's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Personal<Text>>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Personal<Place>>,
    /// Answers, by question.
    #[serde(default, deserialize_with = "recorded_answers", skip_serializing_if = "Answers::is_empty")]
    pub answers: Answers,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The case was given to a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestAssigned {
    /// The team.
    pub team: TeamName,
    /// The officer of it, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<OfficerId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The case is no longer wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestCancelled {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The case ended with an outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestClosed {
    /// What came of it.
    pub outcome: OutcomeCode,
    /// Whether that is a decision or the end of some work.
    pub outcome_kind: OutcomeKind,
    /// Who decided.
    pub decided_by: Decider,
    /// Why, as the person concerned may read it. Always there where an officer decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Personal<Text>>,
}

/// A closed case was taken up again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestReopened {
    /// How often it has been reopened, this time included.
    pub times: u32,
    /// The team that it goes back to: whoever delivers hears of it.
    pub team: TeamName,
    /// The outcome that it had been closed with.
    pub previous_outcome: OutcomeCode,
    /// Why.
    pub reason: Personal<Text>,
}

/// A notice was handed to the mail server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationSent {
    /// Which notice.
    pub notice: QuestionId,
    /// The event that it tells of, and …
    pub about_event: EventId,
    /// … its position.
    pub about_position: Position,
    /// Whom it is for.
    pub recipient: CustomerId,
    /// Over which medium.
    pub medium: NoticeMedium,
    /// Its Message-ID.
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
    }
);

/// A notice did not reach anybody: an officer has to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationFailed {
    /// Which notice.
    pub notice: QuestionId,
    /// The event that it tells of, and …
    pub about_event: EventId,
    /// … its position.
    pub about_position: Position,
    /// Whom it is for.
    pub recipient: CustomerId,
    /// Over which medium.
    pub medium: NoticeMedium,
    /// Why.
    pub failure: NotificationFailure,
    /// The last reply code, where a server was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ExternalId>,
    /// How many attempts were made.
    pub attempts: u32,
}
