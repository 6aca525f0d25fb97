//! How a case ends with an outcome, and who answers for it: a named officer of a team that may, or, where work was completed,
//! the contractor that reports it.

use catalogue::{Acceptance, Deliverer, Outcome, RequestType};
use schemas::OfficerId;
use schemas::command::{ActorKind, Circumstances, CloseRequest, Decider};
use schemas::event::{OutcomeKind, RequestClosed};

use super::{Status, Submitted};
use crate::context::{Authority, DecisionContext};
use crate::rejection::Rejection;

impl Submitted {
    pub(super) fn close(
        &self,
        close: &CloseRequest,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<RequestClosed, Rejection> {
        if matches!(self.status, Status::Closed { .. }) {
            return Err(Rejection::AlreadyClosed);
        }
        self.must_be_open()?;
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        let outcome = request_type
            .outcome(&close.outcome)
            .ok_or_else(|| Rejection::UnknownOutcome {
                outcome: close.outcome.to_string(),
            })?;
        let decided_by = decider(close, outcome, request_type, circumstances, context)?;
        if outcome.imported_only && decided_by != Some(Decider::NotRecorded) {
            return Err(Rejection::OutcomeImportedOnly);
        }
        // A sender that gives a `reason` and no `reasons` means the same.
        let (reasons, reason) = match (close.reasons.clone(), circumstances.reason.clone()) {
            (None, reason) => (reason, None),
            both => both,
        };
        let must_be_reasoned = matches!(decided_by, Some(Decider::Officer { .. })) && !context.person_erased;
        if reasons.is_none() && must_be_reasoned {
            return Err(Rejection::ReasonsRequired);
        }
        Ok(RequestClosed {
            outcome: outcome.code.clone(),
            outcome_kind: outcome.kind,
            decided_by,
            reasons,
            rule: close.rule.clone(),
            evidence: close.evidence.clone(),
            reason,
        })
    }
}

/// Who answers for the outcome; `None` for the contractor, whom the event's actor names.
fn decider(
    close: &CloseRequest,
    outcome: &Outcome,
    request_type: &RequestType,
    circumstances: &Circumstances,
    context: &DecisionContext,
) -> Result<Option<Decider>, Rejection> {
    let actor = &circumstances.actor;
    match (&close.decided_by, actor.kind) {
        (Some(Decider::NotRecorded), _) if context.may_leave_decider_unrecorded => Ok(Some(Decider::NotRecorded)),
        (Some(Decider::NotRecorded), _) => Err(Rejection::DeciderMustBeNamed),
        (_, ActorKind::Resident | ActorKind::Representative) => Err(Rejection::OfficerRequired),
        // Only an officer or a system of the council's speaks for an officer.
        (Some(Decider::Officer { .. }), ActorKind::Contractor) => Err(Rejection::ActorNotAllowed),
        (Some(Decider::Officer { id }), _) => {
            authorised(id, request_type, context).map(|authority| Some(authority.decider()))
        }
        (None, ActorKind::Contractor) => may_report(outcome, request_type).map(|()| None),
        (None, _) => {
            let officer = actor.as_officer().ok_or(Rejection::OfficerRequired)?;
            authorised(officer, request_type, context).map(|authority| Some(authority.decider()))
        }
    }
}

fn authorised<'c>(
    officer: &OfficerId,
    request_type: &RequestType,
    context: &'c DecisionContext,
) -> Result<&'c Authority, Rejection> {
    let authority = context.authority.as_ref().filter(|authority| authority.is_of(officer));
    let authority = authority.ok_or(Rejection::OfficerNotRegistered)?;
    if authority.is_of_any(&request_type.deciding_teams) {
        Ok(authority)
    } else {
        Err(Rejection::OfficerNotAuthorised)
    }
}

/// A contractor reports completions, never decisions, and only where the council takes its word.
fn may_report(outcome: &Outcome, request_type: &RequestType) -> Result<(), Rejection> {
    if outcome.kind == OutcomeKind::Decision {
        return Err(Rejection::OfficerRequired);
    }
    match (request_type.delivery.by, request_type.delivery.acceptance) {
        (Deliverer::InHouse, _) => Err(Rejection::NotDeliveredByContractor),
        (Deliverer::Contractor, Some(Acceptance::Sample | Acceptance::Automatic)) => Ok(()),
        (Deliverer::Contractor, Some(Acceptance::Each) | None) => Err(Rejection::AcceptanceRequired),
    }
}
