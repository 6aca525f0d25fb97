//! What was decided about a person, short of the end of a case. No such event stands without the officer, the reasons and the rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::Eligibility;
use crate::event::OutcomeKind;
use crate::ids::{OfficerId, OutcomeCode};
use crate::moment::Day;
use crate::personal::Personal;
use crate::text::{ExternalId, RuleCode, Text};

/// An officer found whether the person is eligible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EligibilityAssessed {
    /// What they found.
    pub eligibility: Eligibility,
    /// The officer.
    pub decided_by: OfficerId,
    /// The reasons, as the person concerned may read them.
    pub reasons: Personal<Text>,
    /// The rule that was applied.
    pub rule: RuleCode,
    /// What was considered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Personal<Text>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// A badge was issued through the government's provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BadgeIssued {
    /// The number on the badge.
    pub badge_number: Personal<ExternalId>,
    /// The day of issue.
    pub issued_on: Day,
    /// The last day on which it is valid.
    pub valid_until: Day,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// An officer decided. The case is closed later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionRecorded {
    /// What was decided: one of the outcomes that the catalogue lists for the request type.
    pub outcome: OutcomeCode,
    /// What kind of outcome that is: a decision.
    pub outcome_kind: OutcomeKind,
    /// The officer.
    pub decided_by: OfficerId,
    /// The reasons, as the person concerned may read them.
    pub reasons: Personal<Text>,
    /// The rule that was applied.
    pub rule: RuleCode,
    /// The exemptions or exceptions relied on, each by its section or regulation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<RuleCode>,
    /// What was considered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Personal<Text>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}
