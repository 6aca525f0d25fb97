//! What officers do with a case's job: raise it again, take it back, accept what was reported, send it back.

use schemas::OutcomeCode;
use schemas::command::{Circumstances, JobAttempt};
use schemas::event::{CaseEvent, JobAcceptance, JobAccepted, JobCancellation, JobReopening};
use schemas::query::JobStage;

use super::super::Submitted;
use super::super::information::must_be_an_officer;
use super::Job;
use crate::context::DecisionContext;
use crate::rejection::Rejection;

impl Submitted {
    pub(in crate::case) fn raise_job(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        must_be_an_officer(circumstances, context)?;
        let request_type = context.request_type.as_deref().ok_or(Rejection::RequestTypeGone)?;
        let contract = request_type
            .contract
            .as_deref()
            .ok_or(Rejection::NotDeliveredByContractor)?;
        match self.standing.job.as_ref().map(|job| job.stage) {
            Some(JobStage::ReportedDone) => return Err(Rejection::JobToBeAccepted),
            Some(stage) if stage.is_with_contractor() => return Ok(Vec::new()),
            _ => {}
        }
        if self.waits_for_payment() {
            return Err(Rejection::PaymentOutstanding);
        }
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        let facts = self.facts(request_type, circumstances, context);
        let mut events = vec![self.raised(contract, JobReopening::RaisedAgain, Some(reason), &facts)];
        events.extend(self.goes_to(&request_type.delivery.team));
        Ok(events)
    }

    pub(in crate::case) fn withdraw_job(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        must_be_an_officer(circumstances, context)?;
        let request_type = context.request_type.as_deref().ok_or(Rejection::RequestTypeGone)?;
        let job = self.standing.job.as_ref().filter(|job| job.stage.is_with_contractor());
        let job = job.ok_or(Rejection::JobNotWithContractor)?;
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        let facts = self.facts(request_type, circumstances, context);
        let mut events = vec![self.cancelled(job, JobCancellation::Withdrawn, Some(reason), &facts)];
        events.extend(self.goes_to_council(request_type));
        Ok(events)
    }

    pub(in crate::case) fn accept_job(
        &self,
        attempt: JobAttempt,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        let request_type = context.request_type.as_deref().ok_or(Rejection::RequestTypeGone)?;
        let officer = circumstances.actor.as_officer().ok_or(Rejection::ActorNotAllowed)?;
        let authority = self.authorised(officer, request_type, context)?;
        let (job, outcome) = self.reported_done(attempt)?;
        let closed = self.closed_with(outcome, request_type)?;
        let accepted = JobAccepted {
            job: job.number,
            contractor: job.contractor.clone(),
            attempt: job.attempt,
            how: JobAcceptance::Officer,
            accepted_by: Some(authority.officer().clone()),
            reason: circumstances.reason.clone(),
        };
        Ok(vec![accepted.into(), closed.into()])
    }

    pub(in crate::case) fn send_job_back(
        &self,
        attempt: JobAttempt,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        let request_type = context.request_type.as_deref().ok_or(Rejection::RequestTypeGone)?;
        let officer = circumstances.actor.as_officer().ok_or(Rejection::ActorNotAllowed)?;
        self.authorised(officer, request_type, context)?;
        self.reported_done(attempt)?;
        let contract = request_type
            .contract
            .as_deref()
            .ok_or(Rejection::NotDeliveredByContractor)?;
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        let facts = self.facts(request_type, circumstances, context);
        let mut events = vec![self.raised(contract, JobReopening::SentBack, Some(reason), &facts)];
        events.extend(self.goes_to(&request_type.delivery.team));
        Ok(events)
    }

    /// The job of this number and attempt, which waits to be accepted, with the outcome that was reported.
    fn reported_done(&self, attempt: JobAttempt) -> Result<(&Job, &OutcomeCode), Rejection> {
        let job = self.job_at(attempt)?;
        let outcome = job.reported.as_ref().ok_or(Rejection::JobNotReportedDone)?;
        Ok((job, outcome))
    }
}
