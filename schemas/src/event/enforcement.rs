//! What was found of an offence, and what was done against it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{ActionResult, EnforcementAction, FoundBy, IncidentSize, LandType};
use crate::ids::{CustomerId, OfficerId, Version};
use crate::moment::Day;
use crate::money::Pence;
use crate::personal::Personal;
use crate::text::{ExternalId, Text};

/// What was found on site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentRecorded {
    /// On what kind of land.
    pub land: LandType,
    /// How much it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<IncidentSize>,
    /// Who found it first.
    pub found_by: FoundBy,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Somebody was named whom the case is about. What is personal here is sealed for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectNamed {
    /// Who.
    pub subject: CustomerId,
    /// What speaks for it, for the council alone.
    pub grounds: Personal<Text>,
    /// What they may read of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Personal<Text>>,
    /// The officer who named them.
    pub decided_by: OfficerId,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// It is not about them after all. What is personal here is sealed for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectCleared {
    /// Who.
    pub subject: CustomerId,
    /// The officer who decided so.
    pub decided_by: OfficerId,
    /// Why; absent where nothing personal can be recorded of them any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// An officer acted against it. Its number is its place in the case's stream. Where it is against somebody, what is personal here is
/// sealed for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnforcementActionTaken {
    /// What was done.
    pub action: EnforcementAction,
    /// Against whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<CustomerId>,
    /// When.
    pub taken_on: Day,
    /// What it cost the council.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_pence: Option<Pence>,
    /// The number of the notice or of the proceedings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_number: Option<Personal<ExternalId>>,
    /// The penalty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty_pence: Option<Pence>,
    /// The officer.
    pub decided_by: OfficerId,
    /// What was found or said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Text>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Something came of an action. Where that was against somebody, what is personal here is sealed for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionResultRecorded {
    /// The action: the number of its entry.
    pub action: Version,
    /// What came of it.
    pub result: ActionResult,
    /// When.
    pub on: Day,
    /// What was paid, or the fine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pence: Option<Pence>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}
