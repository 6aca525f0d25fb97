//! Commands about the job that a case is to the contractor who delivers it: what the contractor reports, and what the council
//! makes of that.
//!
//! A case has one job at a time. A job that is taken up again keeps its number and gets the next attempt; a report names both, so
//! that what was done before a reopening never counts as done after it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::command::words;
use crate::ids::{ContractorCode, JobNumber};
use crate::moment::Day;
use crate::personal::Personal;
use crate::text::{ExternalId, Text};

/// Which job of a case, and which attempt at it, as the contractor's feed said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobAttempt {
    /// The job's number within the case.
    pub number: JobNumber,
    /// The attempt: 1 when it was raised, one more each time it was taken up again.
    #[schemars(range(min = 1))]
    pub attempt: u32,
}

/// Gives the case's work to the contractor again, after they rejected it, could not do it, or it was withdrawn. An officer does; a
/// job that a new case needs is raised by itself.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["reason"]))]
pub struct RaiseJob {}

/// Takes the work back from the contractor; the case stays open. An officer does, and gives the reason.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["reason"]))]
pub struct WithdrawJob {}

/// The contractor has the job.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeJob {
    /// Which job.
    pub job: JobAttempt,
    /// What the contractor calls it.
    #[serde(default)]
    pub contractor_ref: Option<ExternalId>,
    /// The day for which it is planned.
    #[serde(default)]
    pub planned_on: Option<Day>,
}

/// The contractor does not take the job; it goes back to the council.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectJob {
    /// Which job.
    pub job: JobAttempt,
    /// Why, by the contractor's code, which the catalogue's code map knows.
    pub code: ContractorCode,
    /// What there is to say beside the code.
    #[serde(default)]
    pub note: Option<Personal<Text>>,
}

words!(
    /// How far the contractor is.
    JobProgress {
        /// It is planned.
        Scheduled = "scheduled",
        /// A crew is at it.
        UnderWay = "under_way",
        /// It waits for something.
        Paused = "paused",
    }
);

/// How far the contractor is with a job.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordJobProgress {
    /// Which job.
    pub job: JobAttempt,
    /// How far, by the contractor's code.
    pub code: ContractorCode,
    /// The day for which it is planned by now.
    #[serde(default)]
    pub planned_on: Option<Day>,
    /// What there is to say beside the code.
    #[serde(default)]
    pub note: Option<Personal<Text>>,
}

/// The contractor says that the job is done. Whether the council takes that at once is the catalogue's to say. `occurred_at` says
/// when it was done.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportJobDone {
    /// Which job.
    pub job: JobAttempt,
    /// What was done, by the contractor's code.
    pub code: ContractorCode,
    /// Which crew did it.
    #[serde(default)]
    pub crew: Option<ExternalId>,
    /// What there is to say beside the code.
    #[serde(default)]
    pub note: Option<Personal<Text>>,
}

/// The contractor could not do the job: an officer decides what comes of it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportJobFailed {
    /// Which job.
    pub job: JobAttempt,
    /// Why, by the contractor's code.
    pub code: ContractorCode,
    /// Which crew tried.
    #[serde(default)]
    pub crew: Option<ExternalId>,
    /// What there is to say beside the code.
    #[serde(default)]
    pub note: Option<Personal<Text>>,
}

/// An officer accepts what the contractor reported as done; the case is closed with it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptJob {
    /// Which job.
    pub job: JobAttempt,
}

/// An officer does not accept what the contractor reported as done: it has to be done again. The reason is required; the contractor
/// reads it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["job", "reason"]))]
pub struct SendJobBack {
    /// Which job.
    pub job: JobAttempt,
}

seals!(RaiseJob:);
seals!(WithdrawJob:);
seals!(AcknowledgeJob:);
seals!(RejectJob: note);
seals!(RecordJobProgress: note);
seals!(ReportJobDone: note);
seals!(ReportJobFailed: note);
seals!(AcceptJob:);
seals!(SendJobBack:);
