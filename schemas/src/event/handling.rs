//! What brought a case on its way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::ClockStanding;
use crate::command::{CaseRelation, ContactDirection, ExtensionGround};
use crate::ids::{CaseId, OfficerId};
use crate::moment::Day;
use crate::personal::Personal;
use crate::text::{ExternalId, Text};

/// The person was told that their request is in hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestAcknowledged {
    /// The day on which they were told.
    pub acknowledged_on: Day,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// An officer took more time for the answer, and the person was told why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeExtended {
    /// On which ground.
    pub ground: ExtensionGround,
    /// How many more working days, of a complaint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_days: Option<u32>,
    /// Whether there is a good reason to go beyond the usual extension of a complaint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub good_reason: bool,
    /// The reasons, as the person reads them.
    pub explanation: Personal<Text>,
    /// The officer who decided it.
    pub decided_by: OfficerId,
    /// The day on which the person was told.
    pub told_on: Day,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Somebody else set the day by which they want the council's answer. Its clock is `set_day`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeadlineSet {
    /// The day.
    pub due_on: Day,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Somebody spoke about the case: the event's channel says how, its time when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContactRecorded {
    /// Who spoke to whom.
    pub direction: ContactDirection,
    /// What was said.
    pub summary: Personal<Text>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The case was linked to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseLinked {
    /// What this case is to the other.
    pub relation: CaseRelation,
    /// The other.
    pub case_id: CaseId,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Somebody else was asked for their findings. What they were given is recorded with it (UK GDPR article 5(2)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SentForInvestigation {
    /// Who was asked.
    pub recipient: ExternalId,
    /// What they are to find out.
    pub question: Personal<Text>,
    /// What they were given it for, as the catalogue says it.
    pub purpose: String,
    /// Why that is allowed: the legal basis of the request type (UK GDPR article 6(1)).
    pub legal_basis: String,
    /// What of the case they were given: `place`, `description`, `contact`, or a question's id.
    pub fields: Vec<String>,
    /// The day on which they were asked.
    pub asked_on: Day,
    /// By when the council would like an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Day>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Somebody who was asked gave their findings: a source that is not the person whose case it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingsReceived {
    /// Who found it.
    pub recipient: ExternalId,
    /// What they found.
    pub findings: Personal<Text>,
    /// The day on which it came.
    pub received_on: Day,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Something that puts a fault right was agreed on. Its clock is `remedy_` and its number; it runs on after the case is closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RemedyAgreed {
    /// Its number, counted from 1 within the case.
    pub number: u32,
    /// What is to be done, as the person reads it.
    pub remedy: Personal<Text>,
    /// By when.
    pub due_on: Day,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// A remedy was carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RemedyDone {
    /// Its number.
    pub number: u32,
    /// The day on which it was done.
    pub done_on: Day,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}
