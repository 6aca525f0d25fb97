//! Mending mistakes in the open.

use schemas::Version;
use schemas::command::{ChangeType, Circumstances, CorrectEntry, MoveToCustomer};
use schemas::event::{CaseEvent, CaseMoved, EntryCorrected, TypeChanged};

use super::information::must_be_an_officer;
use super::{Submitted, one};
use crate::context::DecisionContext;
use crate::rejection::Rejection;

impl Submitted {
    /// Within the service: a case of another is submitted there, linked, and this one cancelled.
    pub(super) fn change_type(
        &self,
        change: &ChangeType,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        must_be_an_officer(circumstances, context)?;
        if change.request_type == self.opened.request_type {
            return Ok(Vec::new());
        }
        let right = context
            .other_type
            .as_ref()
            .filter(|other| other.code == change.request_type);
        let right = right.ok_or(Rejection::UnknownRequestType)?;
        if right.service != self.opened.service {
            return Err(Rejection::TypeOfAnotherService);
        }
        if self.opened.customer_id.is_none() && !right.anonymous {
            return Err(Rejection::TypeNeedsCustomer);
        }
        let faults = right.check_answers(&change.answers, true);
        if !faults.is_empty() {
            return Err(Rejection::InvalidAnswers { faults });
        }
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        let mut event = TypeChanged {
            previous_type: self.opened.request_type.clone(),
            request_type: right.code.clone(),
            class: right.class,
            reporting_code: right.reporting_code.clone(),
            answers: change.answers.clone(),
            team: right.delivery.team.clone(),
            clocks: Vec::new(),
            reason,
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(one(event))
    }

    pub(super) fn move_to(
        &self,
        to: &MoveToCustomer,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        must_be_an_officer(circumstances, context)?;
        if self.opened.customer_id == Some(to.customer_id) {
            return Ok(Vec::new());
        }
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        Ok(one(CaseMoved {
            previous_customer_id: self.opened.customer_id,
            customer_id: to.customer_id,
            reason,
        }))
    }

    /// What ended the case or took it up again can be struck out only while it is the last to have done so; a decision, by an
    /// officer who may decide.
    pub(super) fn correct(
        &self,
        correct: &CorrectEntry,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<EntryCorrected, Rejection> {
        let authority = must_be_an_officer(circumstances, context)?;
        let number = correct.entry;
        if number < Version(1) || number > self.last {
            return Err(Rejection::UnknownEntry);
        }
        if self.struck.contains(&number) {
            return Err(Rejection::EntryStruckAlready);
        }
        let entry = self.entries.iter().find(|entry| entry.number == number);
        let entry = entry.ok_or(Rejection::EntryNotCorrectable)?;
        let name = entry.what.correctable().ok_or(Rejection::EntryNotCorrectable)?;
        let mut later = self.entries.iter().filter(|other| other.number > number);
        if entry.what.turns() && later.any(|other| other.what.turns()) {
            return Err(Rejection::EntryNotTheLast);
        }
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        if entry.what.is_a_decision() && !authority.is_of_any(&request_type.deciding_teams) {
            return Err(Rejection::CorrectingNotAuthorised);
        }
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        let mut without = self.clone();
        without.strike(number);
        let mut event = EntryCorrected {
            entry: number,
            entry_event: name.to_owned(),
            standing: without.standing.told(),
            clocks: Vec::new(),
            reason,
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(event)
    }
}
