//! What became of the job that a case is to the contractor who delivers it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::ClockStanding;
use crate::command::words;
use crate::command::{JobProgress, Precaution, Slot};
use crate::ids::{ClientName, ContractorCode, JobNumber, OfficerId, OutcomeCode};
use crate::moment::Day;
use crate::personal::Personal;
use crate::text::{ExternalId, Text};

/// What of a case is shared with whom, for which purpose and why that is allowed (UK GDPR articles 5(2) and 30(1)(d)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sharing {
    /// What is shared: `place`, `location` (the place without what can say who reported it, where it is found without that),
    /// `description`, `contact`, `photos`, or a question's id. Of those, what the case has.
    pub fields: Vec<String>,
    /// What for, as the catalogue says it.
    pub purpose: String,
    /// The legal basis of the request type (UK GDPR article 6(1)).
    pub legal_basis: String,
}

/// The case's work was given to a contractor, and with it what they need to know. The contractor's clock is `job_` and the number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobRaised {
    /// The job's number within the case, from 1.
    pub job: JobNumber,
    /// The client in whose name the contractor speaks, and on whose feed it stands.
    pub contractor: ClientName,
    /// What is to be done, by the contractor's code.
    pub code: ContractorCode,
    /// What was shared.
    pub sharing: Sharing,
    /// What to mind at the door; nothing more is said of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precautions: Vec<Precaution>,
    /// The slot for which it is booked, where it is done at an appointment that is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// The day that the contractor's clock starts from.
    pub raised_on: Day,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words, where an officer raised it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// What the contractor was told of the case is another by now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobChanged {
    /// The job's number.
    pub job: JobNumber,
    /// Whose it is.
    pub contractor: ClientName,
    /// What is to be done, by the contractor's code.
    pub code: ContractorCode,
    /// Which of the shared fields are others than before.
    pub changed: Vec<String>,
    /// What is shared by now.
    pub sharing: Sharing,
    /// What to mind at the door by now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precautions: Vec<Precaution>,
    /// The slot for which it is booked, where it is done at an appointment that is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
}

words!(
    /// Why a job was taken from the contractor.
    JobCancellation {
        /// The case was closed, with an outcome that is not theirs to report.
        CaseClosed = "case_closed",
        /// The case was cancelled.
        CaseCancelled = "case_cancelled",
        /// What is asked for is something else, which they do not deliver.
        TypeChanged = "type_changed",
        /// The appointment that it was to be done at was given up.
        AppointmentGivenUp = "appointment_given_up",
        /// An officer took it back.
        Withdrawn = "withdrawn",
    }
);

/// The contractor no longer has the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobCancelled {
    /// The job's number.
    pub job: JobNumber,
    /// Whose it was.
    pub contractor: ClientName,
    /// Why.
    pub why: JobCancellation,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the officer's words, where one withdrew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

words!(
    /// Why a job was taken up again.
    JobReopening {
        /// The case was reopened: it was not put right.
        CaseReopened = "case_reopened",
        /// What was reported as done was not accepted.
        SentBack = "sent_back",
        /// The case was closed or cancelled by mistake, and that was struck out.
        Corrected = "corrected",
        /// What is to be done, or where, is something else by now: what was done before does not count.
        OtherWork = "other_work",
        /// It was raised again, after it was rejected, failed or withdrawn: by an officer, or with the payment or the appointment that
        /// it waited for.
        RaisedAgain = "raised_again",
    }
);

/// The contractor has a job to do again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobReopened {
    /// The job's number.
    pub job: JobNumber,
    /// Whose it is.
    pub contractor: ClientName,
    /// What is to be done, by the contractor's code.
    pub code: ContractorCode,
    /// Which attempt it is: 2 the first time that it is taken up again.
    pub attempt: u32,
    /// Why.
    pub why: JobReopening,
    /// What is shared by now.
    pub sharing: Sharing,
    /// What to mind at the door.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precautions: Vec<Precaution>,
    /// The slot for which it is booked, where it is done at an appointment that is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// The day that the contractor's clock starts from anew.
    pub raised_on: Day,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words. Who sent it back says it to the contractor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The contractor has the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobAcknowledged {
    /// The job's number.
    pub job: JobNumber,
    /// Whose it is.
    pub contractor: ClientName,
    /// What they call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contractor_ref: Option<ExternalId>,
    /// The day for which it is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_on: Option<Day>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The contractor does not take the job: it is with the council.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobRejected {
    /// The job's number.
    pub job: JobNumber,
    /// Whose it was.
    pub contractor: ClientName,
    /// Why, by their code.
    pub code: ContractorCode,
    /// What the catalogue's code map says of that code.
    pub meaning: String,
    /// What they said beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Text>>,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// How far the contractor is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobProgressed {
    /// The job's number.
    pub job: JobNumber,
    /// Whose it is.
    pub contractor: ClientName,
    /// How far, by their code.
    pub code: ContractorCode,
    /// How far, as the catalogue's code map says it.
    pub progress: JobProgress,
    /// The day for which it is planned by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_on: Option<Day>,
    /// What they said beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Text>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The contractor says that it is done. That the council takes it as done is said by [`JobAccepted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobReportedDone {
    /// The job's number.
    pub job: JobNumber,
    /// Whose it is.
    pub contractor: ClientName,
    /// The attempt that it was.
    pub attempt: u32,
    /// What was done, by their code.
    pub code: ContractorCode,
    /// The outcome that the code stands for.
    pub outcome: OutcomeCode,
    /// The day on which it was done.
    pub done_on: Day,
    /// Which crew did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crew: Option<ExternalId>,
    /// What they said beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Text>>,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The contractor could not do it: it is with the council.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobReportedFailed {
    /// The job's number.
    pub job: JobNumber,
    /// Whose it was.
    pub contractor: ClientName,
    /// The attempt that it was.
    pub attempt: u32,
    /// Why, by their code.
    pub code: ContractorCode,
    /// What the catalogue's code map says of that code.
    pub meaning: String,
    /// The outcome that the code points to, where it does. An officer decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_to: Option<OutcomeCode>,
    /// Which crew tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crew: Option<ExternalId>,
    /// What they said beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Text>>,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

words!(
    /// How what the contractor reported as done came to be taken as done.
    JobAcceptance {
        /// An officer looked at it.
        Officer = "officer",
        /// The council takes each such report.
        Automatic = "automatic",
        /// The council inspects a sample, and this one was not drawn.
        NotDrawn = "not_drawn",
    }
);

/// The council takes what was reported as done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobAccepted {
    /// The job's number.
    pub job: JobNumber,
    /// Whose it was.
    pub contractor: ClientName,
    /// The attempt that it was.
    pub attempt: u32,
    /// How.
    pub how: JobAcceptance,
    /// The officer who did, where one looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_by: Option<OfficerId>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}
