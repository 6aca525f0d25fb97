//! How a case ends with an outcome that a named officer answers for. Work that a contractor completed ends it by their report.

use catalogue::RequestType;
use schemas::command::{ActorKind, Circumstances, CloseRequest, Decider};
use schemas::event::RequestClosed;

use super::Submitted;
use super::decision::check_exemptions;
use super::information::must_be_an_officer;
use super::standing::{Decided, Status};
use crate::context::DecisionContext;
use crate::rejection::Rejection;

impl Submitted {
    pub(super) fn close(
        &self,
        close: &CloseRequest,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<RequestClosed, Rejection> {
        if matches!(self.standing.status, Status::Closed { .. }) {
            return Err(Rejection::AlreadyClosed);
        }
        self.must_be_open()?;
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        let outcome = request_type
            .outcome(&close.outcome)
            .ok_or_else(|| Rejection::UnknownOutcome {
                outcome: close.outcome.to_string(),
            })?;
        let decision = self.standing.decision.as_ref();
        if decision.is_some_and(|decision| decision.outcome != close.outcome) {
            return Err(Rejection::NotTheDecidedOutcome);
        }
        // Closed as it was decided, unless somebody decides it again in closing it.
        let carried_out = decision.filter(|_| close.decided_by.is_none());
        let decided_by = match carried_out {
            Some(decision) => closing_as_decided(decision, close, circumstances, context)?,
            None => self.decider(close, request_type, circumstances, context)?,
        };
        if outcome.imported_only && decided_by != Decider::NotRecorded {
            return Err(Rejection::OutcomeImportedOnly);
        }
        // A sender that gives a `reason` and no `reasons` means the same.
        let (reasons, reason) = match (close.reasons.clone(), circumstances.reason.clone()) {
            (_, reason) if carried_out.is_some() => (carried_out.map(|decision| decision.reasons.clone()), reason),
            (None, reason) => (reason, None),
            both => both,
        };
        let must_be_reasoned = matches!(decided_by, Decider::Officer { .. }) && !context.person_erased;
        if reasons.is_none() && must_be_reasoned {
            return Err(Rejection::ReasonsRequired);
        }
        let exemptions = carried_out.map_or_else(|| close.exemptions.clone(), |decision| decision.exemptions.clone());
        if decided_by != Decider::NotRecorded {
            check_exemptions(outcome.needs_exemption, &exemptions)?;
        }
        Ok(RequestClosed {
            outcome: outcome.code.clone(),
            outcome_kind: outcome.kind,
            decided_by: Some(decided_by),
            reasons,
            rule: carried_out.map_or_else(|| close.rule.clone(), |decision| Some(decision.rule.clone())),
            exemptions,
            evidence: carried_out.map_or_else(|| close.evidence.clone(), |decision| decision.evidence.clone()),
            reason,
        })
    }

    /// Who answers for the outcome.
    fn decider(
        &self,
        close: &CloseRequest,
        request_type: &RequestType,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Decider, Rejection> {
        let actor = &circumstances.actor;
        match (&close.decided_by, actor.kind) {
            (Some(Decider::NotRecorded), _) if context.may_leave_decider_unrecorded => Ok(Decider::NotRecorded),
            (Some(Decider::NotRecorded), _) => Err(Rejection::DeciderMustBeNamed),
            (_, ActorKind::Resident | ActorKind::Representative) => Err(Rejection::OfficerRequired),
            // Only an officer or a system of the council's speaks for an officer.
            (Some(Decider::Officer { .. }), ActorKind::Contractor) => Err(Rejection::ActorNotAllowed),
            (Some(Decider::Officer { id }), _) => {
                let authority = self.authorised(id, request_type, context)?;
                Ok(authority.decider())
            }
            (None, ActorKind::Contractor) => Err(Rejection::ReportTheJob),
            (None, _) => {
                let officer = actor.as_officer().ok_or(Rejection::OfficerRequired)?;
                let authority = self.authorised(officer, request_type, context)?;
                Ok(authority.decider())
            }
        }
    }
}

/// What was decided before is carried out: whoever closes the case decides nothing, and the officer who did answers for it.
fn closing_as_decided(
    decision: &Decided,
    close: &CloseRequest,
    circumstances: &Circumstances,
    context: &DecisionContext,
) -> Result<Decider, Rejection> {
    if circumstances.actor.kind != ActorKind::System {
        must_be_an_officer(circumstances, context)?;
    }
    let says_more = close.reasons.is_some() || close.evidence.is_some() || close.rule.is_some();
    if says_more || !close.exemptions.is_empty() {
        return Err(Rejection::DecidedAlready);
    }
    Ok(Decider::Officer {
        id: decision.by.clone(),
    })
}
