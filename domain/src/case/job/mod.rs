//! The job that a case is to the contractor who delivers it.
//!
//! Whatever a command does to a case, [`follow`] adds what that means for the job, in the same append: a new case is raised, a
//! change is told, an end takes it back, and a reopening reaches whoever delivers. No rule elsewhere has to think of it. What
//! officers do with a job stands in `council`, what its contractor reports in `report`.

mod council;
mod follow;
mod report;

use catalogue::RequestType;
use schemas::command::JobAttempt;
use schemas::event::{CaseEvent, JobCancellation, RequestAssigned};
use schemas::moment::{Day, Instant};
use schemas::query::{JobStage, JobSummary};
use schemas::{ClientName, ContractorCode, JobNumber, OutcomeCode, QuestionId, TeamName};
use serde::{Deserialize, Serialize};

pub(super) use self::follow::follow;
use super::Submitted;
use crate::rejection::Rejection;

/// A job, as the entries of its case leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) number: JobNumber,
    pub(crate) contractor: ClientName,
    pub(crate) code: ContractorCode,
    pub(crate) attempt: u32,
    pub(crate) stage: JobStage,
    /// The outcome that was reported, while that waits to be accepted.
    pub(crate) reported: Option<OutcomeCode>,
    /// Whether the contractor did not take it, or an officer took it back.
    pub(crate) with_council: bool,
    /// The day that its clock started from; with the instant, where that is known.
    pub(crate) began: (Day, Option<Instant>),
}

/// What an event enters of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub(crate) enum JobEntry {
    Raised {
        number: JobNumber,
        contractor: ClientName,
        code: ContractorCode,
        on: Day,
    },
    Reopened {
        code: ContractorCode,
        attempt: u32,
        on: Day,
    },
    Changed {
        code: ContractorCode,
    },
    Moved {
        stage: JobStage,
    },
    /// Rejected, or withdrawn.
    ToCouncil {
        stage: JobStage,
    },
    ReportedDone {
        outcome: OutcomeCode,
    },
}

impl JobEntry {
    /// What an event enters, where it is about a job.
    pub(crate) fn of(event: &CaseEvent) -> Option<Self> {
        let moved = |stage| Self::Moved { stage };
        Some(match event {
            CaseEvent::JobRaised(event) => Self::Raised {
                number: event.job,
                contractor: event.contractor.clone(),
                code: event.code.clone(),
                on: event.raised_on,
            },
            CaseEvent::JobReopened(event) => Self::Reopened {
                code: event.code.clone(),
                attempt: event.attempt,
                on: event.raised_on,
            },
            CaseEvent::JobChanged(event) => Self::Changed {
                code: event.code.clone(),
            },
            CaseEvent::JobReportedDone(event) => Self::ReportedDone {
                outcome: event.outcome.clone(),
            },
            CaseEvent::JobAcknowledged(_) => moved(JobStage::Acknowledged),
            CaseEvent::JobProgressed(_) => moved(JobStage::UnderWay),
            CaseEvent::JobReportedFailed(_) => moved(JobStage::Failed),
            CaseEvent::JobRejected(_) => Self::ToCouncil {
                stage: JobStage::Rejected,
            },
            CaseEvent::JobCancelled(event) if event.why == JobCancellation::Withdrawn => Self::ToCouncil {
                stage: JobStage::Cancelled,
            },
            CaseEvent::JobCancelled(_) => moved(JobStage::Cancelled),
            CaseEvent::JobAccepted(_) => moved(JobStage::Accepted),
            _ => return None,
        })
    }

    /// Enters it on the job that there was.
    pub(crate) fn enter(&self, job: &mut Option<Job>, at: Option<Instant>) {
        match (self, job) {
            (
                Self::Raised {
                    number,
                    contractor,
                    code,
                    on,
                },
                job,
            ) => {
                *job = Some(Job {
                    number: *number,
                    contractor: contractor.clone(),
                    code: code.clone(),
                    attempt: 1,
                    stage: JobStage::Raised,
                    reported: None,
                    with_council: false,
                    began: (*on, at),
                });
            }
            (Self::Reopened { code, attempt, on }, Some(job)) => {
                (job.code, job.attempt, job.began) = (code.clone(), *attempt, (*on, at));
                (job.stage, job.reported, job.with_council) = (JobStage::Raised, None, false);
            }
            (Self::Changed { code }, Some(job)) => job.code = code.clone(),
            (Self::Moved { stage }, Some(job)) => (job.stage, job.reported) = (*stage, None),
            (Self::ToCouncil { stage }, Some(job)) => {
                (job.stage, job.reported, job.with_council) = (*stage, None, true);
            }
            (Self::ReportedDone { outcome }, Some(job)) => {
                (job.stage, job.reported) = (JobStage::ReportedDone, Some(outcome.clone()));
            }
            // The log lets nothing stand before the job was raised.
            (_, None) => {}
        }
    }
}

impl Job {
    /// The name of its clock.
    pub(crate) fn clock(&self) -> Option<QuestionId> {
        QuestionId::new(format!("job_{}", self.number)).ok()
    }

    /// Whether nobody has closed the matter with it: the contractor has it, or the council has to accept it.
    const fn is_in_hand(&self) -> bool {
        self.stage.is_with_contractor() || matches!(self.stage, JobStage::ReportedDone)
    }

    /// As a query tells it.
    pub(crate) fn told(&self) -> JobSummary {
        JobSummary {
            number: self.number,
            contractor: self.contractor.clone(),
            code: self.code.clone(),
            attempt: self.attempt,
            stage: self.stage,
        }
    }
}

impl Submitted {
    /// The job of this number, at this attempt.
    fn job_at(&self, JobAttempt { number, attempt }: JobAttempt) -> Result<&Job, Rejection> {
        let job = self.standing.job.as_ref().filter(|job| job.number == number);
        let job = job.ok_or(Rejection::UnknownJob)?;
        match attempt.cmp(&job.attempt) {
            std::cmp::Ordering::Less => Err(Rejection::JobReopenedSince { attempt: job.attempt }),
            std::cmp::Ordering::Equal => Ok(job),
            std::cmp::Ordering::Greater => Err(Rejection::UnknownJob),
        }
    }

    /// A case goes to a team, unless it is there.
    fn goes_to(&self, team: &TeamName) -> Option<CaseEvent> {
        let is_there = self.standing.team == *team && self.standing.officer.is_none();
        let assigned = RequestAssigned {
            team: team.clone(),
            officer: None,
            reason: None,
        };
        (!is_there).then(|| assigned.into())
    }

    /// Back to who decides such cases: what the contractor leaves, somebody has to see.
    fn goes_to_council(&self, request_type: &RequestType) -> Option<CaseEvent> {
        self.goes_to(request_type.deciding_teams.first()?)
    }
}
