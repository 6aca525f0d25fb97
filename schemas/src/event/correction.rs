//! What was mended, in the open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::ClockStanding;
use crate::command::InformationWanted;
use crate::event::{OutcomeKind, RequestClass};
use crate::ids::{CustomerId, OfficerId, OutcomeCode, RequestTypeCode, TeamName, Version};
use crate::moment::Instant;
use crate::personal::{Answers, Personal, recorded_answers};
use crate::query::CaseStatus;
use crate::text::Text;

/// The case is one of another type: it had been taken down as the wrong one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TypeChanged {
    /// The type that it had been taken down as.
    pub previous_type: RequestTypeCode,
    /// The right type.
    pub request_type: RequestTypeCode,
    /// What kind of case that makes.
    pub class: RequestClass,
    /// The right type's name in reports.
    pub reporting_code: String,
    /// The answers to its questions; those to the other type's no longer count.
    #[serde(
        default,
        deserialize_with = "recorded_answers",
        skip_serializing_if = "Answers::is_empty"
    )]
    pub answers: Answers,
    /// The team that delivers it.
    pub team: TeamName,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    pub reason: Personal<Text>,
}

/// The case is another customer's: it had been taken down under the wrong one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseMoved {
    /// Under whom it had been taken down; absent where the report was anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_customer_id: Option<CustomerId>,
    /// Whose case it is.
    pub customer_id: CustomerId,
    /// Why, in the actor's words.
    pub reason: Personal<Text>,
}

/// An entry was struck out: the case stands as if it had never been made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryCorrected {
    /// The entry that no longer counts, by its number in the case's stream.
    pub entry: Version,
    /// What it was: the name of its event.
    pub entry_event: String,
    /// How the case stands without it.
    pub standing: CaseStanding,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    pub reason: Personal<Text>,
}

/// How a case stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseStanding {
    /// Where it is.
    pub status: CaseStatus,
    /// What came of it, while it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeCode>,
    /// Whether that is a decision or a completion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_kind: Option<OutcomeKind>,
    /// When it was closed or cancelled, unless it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Instant>,
    /// The team that has it.
    pub team: TeamName,
    /// The officer of that team, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<OfficerId>,
    /// What it waits for from the person whose case it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting_for: Vec<InformationWanted>,
    /// How often it was reopened.
    pub times_reopened: u32,
}
