//! What a contractor's file says: which kinds of work the council gives them, in how much time, and what their own codes mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use schemas::command::JobProgress;
use schemas::moment::Day;
use schemas::{ClientName, ContractorCode, OutcomeCode, QuestionId, ServiceName};
use serde::Deserialize;

use crate::clocks::{TargetUnit, toml_day};
use crate::service::TargetCondition;

/// A contractor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contractor {
    /// The client in whose name they speak; the name of their file.
    pub name: ClientName,
    /// Their name for people.
    pub title: String,
    /// Their collection rounds, where they have some.
    pub rounds: Option<Arc<Rounds>>,
}

/// A contractor's collection rounds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rounds {
    /// The service that they are rounds of.
    pub service: ServiceName,
    /// What their codes for not having collected something mean.
    #[serde(default)]
    pub exceptions: BTreeMap<ContractorCode, Failure>,
}

/// What a contractor does for one request type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The client in whose name the contractor speaks.
    pub contractor: ClientName,
    /// The work, by their code.
    pub code: ContractorCode,
    /// How soon they have to report it done, from the day that the job is raised or taken up again.
    pub targets: Vec<ContractTarget>,
    /// The codes that report it done, with the outcome that each stands for: a completion.
    pub done: BTreeMap<ContractorCode, OutcomeCode>,
    /// The codes that report that it could not be done.
    pub failed: BTreeMap<ContractorCode, Failure>,
    /// The codes that reject it, with what each means.
    pub rejections: BTreeMap<ContractorCode, String>,
    /// The codes that report how far they are.
    pub progress: BTreeMap<ContractorCode, JobProgress>,
}

impl Contract {
    /// The target of a job that began on a day, on a case with these open answers: of the last rows that began by then, one that
    /// depends on an answer before one that does not.
    #[must_use]
    pub fn target_on(&self, began: Day, open_answers: &BTreeMap<QuestionId, String>) -> Option<&ContractTarget> {
        let applies = |when: &TargetCondition| open_answers.get(&when.question) == Some(&when.is);
        let rows = self.targets.iter();
        let rows = rows.filter(|row| row.from <= began && row.when.as_ref().is_none_or(applies));
        rows.max_by_key(|row| (row.when.is_some(), row.from))
    }
}

/// How soon a contractor has to report a job done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractTarget {
    /// Since when it holds: for jobs raised or taken up again on this day or later. The last such row counts.
    #[serde(deserialize_with = "toml_day")]
    #[schemars(with = "Day")]
    pub from: Day,
    /// What it is counted in.
    pub unit: TargetUnit,
    /// How many.
    pub amount: u32,
    /// Only where an open question is answered so; it goes before one that always holds.
    #[serde(default)]
    #[schemars(with = "TargetCondition")]
    pub when: Option<TargetCondition>,
}

/// What a code means that says that a job could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What it means, for officers.
    pub meaning: String,
    /// The outcome that it points to, where it does. An officer decides.
    #[serde(default)]
    #[schemars(with = "OutcomeCode")]
    pub points_to: Option<OutcomeCode>,
}
