//! What can happen to a case on its way: corrected, handed on, cancelled, taken up again.

use catalogue::london;
use schemas::command::{ActorKind, AssignRequest, Circumstances, UpdateRequest};
use schemas::event::{CaseEvent, RequestAssigned, RequestCancelled, RequestReopened, RequestUpdated};
use schemas::moment::Instant;

use super::standing::Status;
use super::{Submitted, one};
use crate::context::DecisionContext;
use crate::rejection::Rejection;

impl Submitted {
    pub(super) fn update(
        &self,
        update: &UpdateRequest,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<RequestUpdated, Rejection> {
        self.must_be_open()?;
        let UpdateRequest {
            description,
            place,
            answers,
        } = update.clone();
        if description.is_none() && place.is_none() && answers.is_empty() {
            return Err(Rejection::NothingGiven);
        }
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        let faults = request_type.check_answers(&answers, false);
        if !faults.is_empty() {
            return Err(Rejection::InvalidAnswers { faults });
        }
        Ok(RequestUpdated {
            description,
            located: context.located.clone().filter(|_| place.is_some()),
            place,
            answers,
            reason: circumstances.reason.clone(),
        })
    }

    /// To whom it is with already: nothing has to change.
    pub(super) fn assign(
        &self,
        assign: &AssignRequest,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        if matches!(
            circumstances.actor.kind,
            ActorKind::Resident | ActorKind::Representative
        ) {
            return Err(Rejection::ActorNotAllowed);
        }
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        if !request_type.assignable_teams.contains(&assign.team) {
            return Err(Rejection::UnknownTeam);
        }
        if let Some(officer) = &assign.officer {
            let authority = context.authority.as_ref().filter(|authority| authority.is_of(officer));
            let authority = authority.ok_or(Rejection::AssigneeNotRegistered)?;
            if !authority.is_of_any([&assign.team]) {
                return Err(Rejection::AssigneeNotOfTeam);
            }
        }
        if self.standing.team == assign.team && self.standing.officer == assign.officer {
            return Ok(Vec::new());
        }
        let AssignRequest { team, officer } = assign.clone();
        Ok(one(RequestAssigned {
            team,
            officer,
            reason: circumstances.reason.clone(),
        }))
    }

    /// Whoever asked may take it back. An officer who ends it on nobody's behalf refuses it: that takes a reason, and an officer
    /// who may decide. A contractor never may.
    pub(super) fn cancel(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<RequestCancelled, Rejection> {
        if self.standing.status == Status::Cancelled {
            return Err(Rejection::AlreadyCancelled);
        }
        self.must_be_open()?;
        match (&circumstances.actor.as_officer(), circumstances.actor.kind) {
            (_, ActorKind::Contractor) => return Err(Rejection::ActorNotAllowed),
            // Only whose case it is takes it back through an officer.
            (Some(officer), _)
                if circumstances.on_behalf_of.is_none() || circumstances.on_behalf_of != self.opened.customer_id =>
            {
                let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
                let authority = context.authority.as_ref().filter(|authority| authority.is_of(officer));
                if !authority.is_some_and(|authority| authority.is_of_any(&request_type.deciding_teams)) {
                    return Err(Rejection::CancellingNotAuthorised);
                }
                if circumstances.reason.is_none() {
                    return Err(Rejection::ReasonRequired);
                }
            }
            _ => {}
        }
        Ok(RequestCancelled {
            reason: circumstances.reason.clone(),
        })
    }

    /// Within the type's days, counted in London days from the closing; back to the team that delivers.
    pub(super) fn reopen(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
        closed_at: Option<Instant>,
    ) -> Result<RequestReopened, Rejection> {
        let previous_outcome = match &self.standing.status {
            Status::Open => return Err(Rejection::NotClosed),
            Status::Cancelled => return Err(Rejection::CaseCancelled),
            Status::Closed { outcome, .. } => outcome.clone(),
        };
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        let occurred_at = context.occurred_at(circumstances);
        if closed_at.is_some_and(|closed_at| occurred_at < closed_at) {
            return Err(Rejection::OccurredBeforeTheClosing);
        }
        let last_day = closed_at.map(|closed_at| request_type.reopening.last_day(london::day_of(closed_at.get())));
        let never = request_type.reopening.days == 0;
        if never || last_day.is_none_or(|last_day| london::day_of(occurred_at.get()) > last_day) {
            return Err(Rejection::ReopeningPeriodOver {
                successor: request_type.reopening.successor.to_string(),
            });
        }
        let received_on = context.received_on(circumstances);
        if closed_at.is_some_and(|closed_at| received_on < london::day_of(closed_at.get())) {
            return Err(Rejection::ReceivedBeforeTheClosing);
        }
        let reason = circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?;
        let mut event = RequestReopened {
            times: self.standing.times_reopened.saturating_add(1),
            team: request_type.delivery.team.clone(),
            previous_outcome,
            reason,
            received_on,
            clocks: Vec::new(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, occurred_at);
        Ok(event)
    }
}
