//! What the contractor reports on its job. A report names the attempt that it is about: what was done before a reopening does not
//! count as done after it.

use catalogue::{Acceptance, Contract, RequestType, london};
use schemas::command::{
    AcknowledgeJob, ActorKind, Circumstances, JobAttempt, RecordJobProgress, RejectJob, ReportJobDone, ReportJobFailed,
};
use schemas::event::{
    CaseEvent, JobAcceptance, JobAccepted, JobAcknowledged, JobProgressed, JobRejected, JobReportedDone,
    JobReportedFailed, OutcomeKind, RequestClosed,
};
use schemas::query::JobStage;
use schemas::{ContractorCode, OutcomeCode};
use time::Duration;

use super::super::{Submitted, one};
use super::Job;
use crate::context::DecisionContext;
use crate::rejection::Rejection;

/// A report of work done longer ago than this is looked at by an officer: closed as of that day by itself, the case would leave its
/// resident less time to say that it was not put right.
const LATE_REPORT: Duration = Duration::days(2);

/// A contractor's job, and what the catalogue says of it.
struct Theirs<'s> {
    job: &'s Job,
    contract: &'s Contract,
    request_type: &'s RequestType,
}

impl Submitted {
    /// The job that a report is about, where it is with whoever reports.
    fn theirs<'s>(
        &'s self,
        attempt: JobAttempt,
        circumstances: &Circumstances,
        context: &'s DecisionContext,
    ) -> Result<Theirs<'s>, Rejection> {
        if circumstances.actor.kind != ActorKind::Contractor {
            return Err(Rejection::ActorNotAllowed);
        }
        let request_type = context.request_type.as_deref().ok_or(Rejection::RequestTypeGone)?;
        let job = self.standing.job.as_ref().ok_or(Rejection::UnknownJob)?;
        if context.contractor.as_ref() != Some(&job.contractor) {
            return Err(Rejection::NotTheirJob);
        }
        let job = self.job_at(attempt)?;
        if !job.stage.is_with_contractor() {
            return Err(Rejection::JobNotWithContractor);
        }
        let contract = request_type.contract.as_deref();
        let contract = contract.filter(|contract| contract.contractor == job.contractor);
        let contract = contract.ok_or(Rejection::NotTheirJob)?;
        if context.occurred_at(circumstances) < job.began.1.unwrap_or(context.occurred_at(circumstances)) {
            return Err(Rejection::OccurredBeforeTheJob);
        }
        Ok(Theirs {
            job,
            contract,
            request_type,
        })
    }

    /// Acknowledged already, in the same words: nothing has to change.
    pub(in crate::case) fn acknowledge_job(
        &self,
        acknowledge: &AcknowledgeJob,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        let Theirs { job, .. } = self.theirs(acknowledge.job, circumstances, context)?;
        let says_more = acknowledge.contractor_ref.is_some() || acknowledge.planned_on.is_some();
        if job.stage != JobStage::Raised && !says_more {
            return Ok(Vec::new());
        }
        Ok(one(JobAcknowledged {
            job: job.number,
            contractor: job.contractor.clone(),
            contractor_ref: acknowledge.contractor_ref.clone(),
            planned_on: acknowledge.planned_on,
            reason: circumstances.reason.clone(),
        }))
    }

    pub(in crate::case) fn job_progress(
        &self,
        progress: &RecordJobProgress,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        let Theirs { job, contract, .. } = self.theirs(progress.job, circumstances, context)?;
        let meaning = contract
            .progress
            .get(&progress.code)
            .ok_or_else(|| unknown(&progress.code))?;
        Ok(one(JobProgressed {
            job: job.number,
            contractor: job.contractor.clone(),
            code: progress.code.clone(),
            progress: *meaning,
            planned_on: progress.planned_on,
            note: progress.note.clone(),
            reason: circumstances.reason.clone(),
        }))
    }

    pub(in crate::case) fn reject_job(
        &self,
        reject: &RejectJob,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        let Theirs {
            job,
            contract,
            request_type,
        } = self.theirs(reject.job, circumstances, context)?;
        let meaning = contract
            .rejections
            .get(&reject.code)
            .ok_or_else(|| unknown(&reject.code))?;
        let mut event = JobRejected {
            job: job.number,
            contractor: job.contractor.clone(),
            code: reject.code.clone(),
            meaning: meaning.clone(),
            note: reject.note.clone(),
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(one(event)
            .into_iter()
            .chain(self.goes_to_council(request_type))
            .collect())
    }

    pub(in crate::case) fn job_failed(
        &self,
        failed: &ReportJobFailed,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        let Theirs {
            job,
            contract,
            request_type,
        } = self.theirs(failed.job, circumstances, context)?;
        let failure = contract.failed.get(&failed.code).ok_or_else(|| unknown(&failed.code))?;
        let mut event = JobReportedFailed {
            job: job.number,
            contractor: job.contractor.clone(),
            attempt: job.attempt,
            code: failed.code.clone(),
            meaning: failure.meaning.clone(),
            points_to: failure.points_to.clone(),
            crew: failed.crew.clone(),
            note: failed.note.clone(),
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(one(event)
            .into_iter()
            .chain(self.goes_to_council(request_type))
            .collect())
    }

    /// Reported as done; taken as done at once where the type says so, and nobody has decided on something else.
    pub(in crate::case) fn job_done(
        &self,
        done: &ReportJobDone,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        let Theirs {
            job,
            contract,
            request_type,
        } = self.theirs(done.job, circumstances, context)?;
        let outcome = contract.done.get(&done.code).ok_or_else(|| unknown(&done.code))?;
        let at = context.occurred_at(circumstances);
        let mut reported = JobReportedDone {
            job: job.number,
            contractor: job.contractor.clone(),
            attempt: job.attempt,
            code: done.code.clone(),
            outcome: outcome.clone(),
            done_on: london::day_of(at.get()),
            crew: done.crew.clone(),
            note: done.note.clone(),
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        reported.clocks = self.clocks_after(&reported.clone().into(), context, at);
        let mut events = one(reported);
        let is_late = context.now.get() - at.get() > LATE_REPORT;
        let taken = taken_at_once(request_type, context).filter(|_| !is_late);
        match (taken, self.closed_with(outcome, request_type)) {
            (Some(how), Ok(closed)) => {
                let accepted = JobAccepted {
                    job: job.number,
                    contractor: job.contractor.clone(),
                    attempt: job.attempt,
                    how,
                    accepted_by: None,
                    reason: None,
                };
                events.extend([accepted.into(), closed.into()]);
            }
            _ => events.extend(self.goes_to_council(request_type)),
        }
        Ok(events)
    }

    /// The case closed with what was completed.
    pub(super) fn closed_with(
        &self,
        outcome: &OutcomeCode,
        request_type: &RequestType,
    ) -> Result<RequestClosed, Rejection> {
        let decision = self.standing.decision.as_ref();
        if decision.is_some_and(|decision| decision.outcome != *outcome) {
            return Err(Rejection::NotTheDecidedOutcome);
        }
        let known = request_type
            .outcome(outcome)
            .filter(|known| known.kind == OutcomeKind::Completion);
        let known = known.ok_or_else(|| Rejection::UnknownOutcome {
            outcome: outcome.to_string(),
        })?;
        Ok(RequestClosed {
            outcome: known.code.clone(),
            outcome_kind: known.kind,
            decided_by: None,
            reasons: None,
            rule: None,
            exemptions: Vec::new(),
            evidence: None,
            reason: None,
        })
    }
}

/// How the council takes what is reported as done, where it does so at once.
fn taken_at_once(request_type: &RequestType, context: &DecisionContext) -> Option<JobAcceptance> {
    match (request_type.delivery.acceptance?, request_type.delivery.sample_percent) {
        (Acceptance::Automatic, _) => Some(JobAcceptance::Automatic),
        // Without a draw it is looked at.
        (Acceptance::Sample, Some(percent)) if context.inspection_draw.is_some_and(|draw| draw >= percent) => {
            Some(JobAcceptance::NotDrawn)
        }
        (Acceptance::Sample | Acceptance::Each, _) => None,
    }
}

fn unknown(code: &ContractorCode) -> Rejection {
    Rejection::UnknownContractorCode { code: code.to_string() }
}
