//! Mending mistakes in the open.

use std::sync::Arc;

use schemas::Version;
use schemas::command::{ChangeType, Circumstances, CorrectEntry, MoveToCustomer};
use schemas::event::{CaseEvent, CaseMoved, EntryCorrected, TypeChanged};

use super::information::must_be_an_officer;
use super::standing::Entry;
use super::{Entered, Submitted, one};
use crate::context::DecisionContext;
use crate::customer::Customer;
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
        let authority = must_be_an_officer(circumstances, context)?;
        if change.request_type == self.opened.request_type {
            return Ok(Vec::new());
        }
        // A decision under the other type falls with it: that is for somebody who may decide.
        let deciding = context
            .request_type
            .as_ref()
            .map(|request_type| &request_type.deciding_teams);
        let may_decide = deciding.is_some_and(|teams| authority.is_of_any(teams));
        if self.standing.decision.is_some() && !may_decide {
            return Err(Rejection::CorrectingNotAuthorised);
        }
        let right = context
            .other_type
            .as_ref()
            .filter(|other| other.code == change.request_type);
        let right = right.ok_or(Rejection::UnknownRequestType)?;
        if right.only_as_next_stage {
            return Err(Rejection::FollowsRequired);
        }
        let enforced = context
            .request_type
            .as_ref()
            .is_some_and(|request_type| request_type.enforcement);
        if enforced && !right.enforcement {
            return Err(Rejection::LeavesEnforcement);
        }
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
        if let Some(into) = context.other_customer.as_deref().and_then(Customer::merged_into) {
            return Err(Rejection::OpenedForMerged { into: into.to_string() });
        }
        if self.was_about(to.customer_id, context) {
            return Err(Rejection::MovedToWhomItIsAbout);
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
        // What came of it under another type is no outcome of the type that it has by now.
        let stands_in_the_way =
            |other: &Arc<Entry>| other.what.turns() || matches!(other.what, Entered::TypeChanged { .. });
        if entry.what.turns() && later.any(stands_in_the_way) {
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
