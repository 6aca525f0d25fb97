//! Commands that decide about a person, short of ending the case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decider, seals};
use crate::command::words;
use crate::ids::OutcomeCode;
use crate::moment::Day;
use crate::personal::Personal;
use crate::text::{ExternalId, RuleCode, Text};

words!(
    /// What was found about somebody's eligibility.
    Eligibility {
        /// They qualify by a fact that needs no assessment, such as an award (blue badges: "without further assessment").
        WithoutAssessment = "without_assessment",
        /// Whether they qualify has to be assessed (blue badges: "subject to further assessment").
        NeedsAssessment = "needs_assessment",
        /// They were assessed, and qualify.
        Eligible = "eligible",
        /// They do not qualify.
        NotEligible = "not_eligible",
    }
);

/// Records what an officer found about the eligibility of the person whose case it is.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessEligibility {
    /// What they found.
    pub eligibility: Eligibility,
    /// Who decided. Where it is absent and an officer acts, that officer did.
    #[serde(default)]
    pub decided_by: Option<Decider>,
    /// The reasons, as the person concerned may read them.
    pub reasons: Personal<Text>,
    /// The rule applied, such as `si-2000-682:4(1)(b)`.
    pub rule: RuleCode,
    /// What was considered.
    #[serde(default)]
    pub evidence: Option<Personal<Text>>,
}

/// Records an officer's decision on a case, before the case ends: a badge is approved, then made; an answer is decided, then sent.
/// The case can then be closed with this outcome only, unless it is decided anew.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDecision {
    /// What was decided: one of the type's outcomes that are decisions.
    pub outcome: OutcomeCode,
    /// Who decided. Where it is absent and an officer acts, that officer did.
    #[serde(default)]
    pub decided_by: Option<Decider>,
    /// The reasons, as the person concerned may read them.
    pub reasons: Personal<Text>,
    /// The rule applied.
    pub rule: RuleCode,
    /// The exemptions or exceptions relied on, each by its section or regulation, such as `foia-2000:40(2)` or `eir-2004:12(4)(b)`.
    #[serde(default)]
    pub exemptions: Vec<RuleCode>,
    /// What was considered.
    #[serde(default)]
    pub evidence: Option<Personal<Text>>,
}

/// Records that a badge was issued through the government's provider, on an application that was granted, also after the case was
/// closed.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordBadgeIssued {
    /// The number on the badge.
    pub badge_number: Personal<ExternalId>,
    /// The day of issue.
    pub issued_on: Day,
    /// The last day on which it is valid: at most three years beginning with the day of issue (SI 2000/682 regulation 6), and
    /// sooner where the award that it rests on ends sooner, or the badge that it replaces would have.
    pub valid_until: Day,
}

seals!(RecordBadgeIssued: badge_number);
seals!(AssessEligibility: reasons, evidence);
seals!(RecordDecision: reasons, evidence);
