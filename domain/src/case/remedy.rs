//! Putting right what went wrong: agreed with the person or the ombudsman, due on its day, done. Its clock runs on after the case
//! is closed: "upheld" is not yet "put right".

use catalogue::london;
use schemas::command::{AgreeRemedy, Circumstances, RecordRemedyDone};
use schemas::event::{CaseEvent, RemedyAgreed, RemedyDone, RequestClass};

use super::information::must_be_an_officer;
use super::standing::{Status, remedy};
use super::{Submitted, one};
use crate::context::DecisionContext;
use crate::rejection::Rejection;

impl Submitted {
    pub(super) fn agree_remedy(
        &self,
        agree: &AgreeRemedy,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<RemedyAgreed, Rejection> {
        if self.standing.status == Status::Cancelled {
            return Err(Rejection::CaseCancelled);
        }
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        if request_type.class != RequestClass::Complaint {
            return Err(Rejection::RemedyNotForThisType);
        }
        let officer = circumstances.actor.as_officer().ok_or(Rejection::OfficerRequired)?;
        self.authorised(officer, request_type, context)?;
        let at = context.occurred_at(circumstances);
        if agree.due_on < london::day_of(at.get()) {
            return Err(Rejection::RemedyDuePast);
        }
        let AgreeRemedy { remedy, due_on } = agree.clone();
        let number = u32::try_from(self.standing.remedies.len()).unwrap_or(u32::MAX);
        let mut event = RemedyAgreed {
            number: number.saturating_add(1),
            remedy,
            due_on,
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, at);
        Ok(event)
    }

    pub(super) fn remedy_done(
        &self,
        done: &RecordRemedyDone,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        must_be_an_officer(circumstances, context)?;
        let mut remedies = self.standing.remedies.clone();
        let (_, is_done) = remedy(&mut remedies, done.remedy).ok_or(Rejection::UnknownRemedy)?;
        if *is_done {
            return Ok(Vec::new());
        }
        let mut event = RemedyDone {
            number: done.remedy,
            done_on: context.received_on(circumstances),
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(one(event))
    }
}
