//! What an officer decides about a person: a named officer of a team that may, with reasons and the rule, and not one who had a
//! part in the case whose next stage this is.

use catalogue::{RequestType, london};
use schemas::OfficerId;
use schemas::command::{ActorKind, AssessEligibility, Circumstances, Decider, RecordBadgeIssued, RecordDecision};
use schemas::event::{BadgeIssued, DecisionRecorded, EligibilityAssessed, OutcomeKind};
use schemas::text::RuleCode;

use super::Submitted;
use crate::clock;
use crate::context::{Authority, DecisionContext};
use crate::rejection::Rejection;

impl Submitted {
    pub(super) fn assess(
        &self,
        assess: &AssessEligibility,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<EligibilityAssessed, Rejection> {
        self.must_be_open()?;
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        let authority = self.deciding(assess.decided_by.as_ref(), request_type, circumstances, context)?;
        let AssessEligibility {
            eligibility,
            decided_by: _,
            reasons,
            rule,
            evidence,
        } = assess.clone();
        Ok(EligibilityAssessed {
            eligibility,
            decided_by: authority.officer().clone(),
            reasons,
            rule,
            evidence,
            reason: circumstances.reason.clone(),
        })
    }

    pub(super) fn record_decision(
        &self,
        decision: &RecordDecision,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<DecisionRecorded, Rejection> {
        self.must_be_open()?;
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        let outcome = request_type
            .outcome(&decision.outcome)
            .ok_or_else(|| Rejection::UnknownOutcome {
                outcome: decision.outcome.to_string(),
            })?;
        if outcome.kind != OutcomeKind::Decision {
            return Err(Rejection::NotADecision);
        }
        if outcome.imported_only {
            return Err(Rejection::OutcomeImportedOnly);
        }
        check_exemptions(outcome.needs_exemption, &decision.exemptions)?;
        let authority = self.deciding(decision.decided_by.as_ref(), request_type, circumstances, context)?;
        let RecordDecision {
            outcome: _,
            decided_by: _,
            reasons,
            rule,
            exemptions,
            evidence,
        } = decision.clone();
        Ok(DecisionRecorded {
            outcome: outcome.code.clone(),
            outcome_kind: outcome.kind,
            decided_by: authority.officer().clone(),
            reasons,
            rule,
            exemptions,
            evidence,
            reason: circumstances.reason.clone(),
        })
    }

    /// Issued is what was granted; no longer than the law allows. What ends it sooner is personal, and for whoever issues to mind.
    pub(super) fn badge_issued(
        &self,
        issued: &RecordBadgeIssued,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<BadgeIssued, Rejection> {
        if circumstances.actor.kind != ActorKind::System {
            context.acting_officer(circumstances)?;
        }
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        if !self.is_granted(request_type) {
            return Err(Rejection::NotGranted);
        }
        if self.waits_for_payment() {
            return Err(Rejection::PaymentOutstanding);
        }
        if issued.issued_on > london::day_of(context.now.get()) {
            return Err(Rejection::IssuedInTheFuture);
        }
        self.must_not_precede_receipt(issued.issued_on)
            .map_err(|_| Rejection::IssuedBeforeTheReceipt)?;
        let longest = context
            .clock_files
            .as_ref()
            .and_then(|files| clock::longest_badge(files, issued.issued_on));
        let too_long = longest.is_some_and(|longest| issued.valid_until > longest);
        if issued.valid_until < issued.issued_on || too_long {
            return Err(Rejection::NotValidSoLong);
        }
        let RecordBadgeIssued {
            badge_number,
            issued_on,
            valid_until,
        } = issued.clone();
        Ok(BadgeIssued {
            badge_number,
            issued_on,
            valid_until,
            reason: circumstances.reason.clone(),
        })
    }

    /// The officer who decides: the one named, or the one who acts.
    fn deciding<'c>(
        &self,
        named: Option<&Decider>,
        request_type: &RequestType,
        circumstances: &Circumstances,
        context: &'c DecisionContext,
    ) -> Result<&'c Authority, Rejection> {
        let officer = match (named, circumstances.actor.kind) {
            (Some(Decider::NotRecorded), _) => return Err(Rejection::DeciderMustBeNamed),
            (_, ActorKind::Resident | ActorKind::Representative | ActorKind::Contractor) => {
                return Err(Rejection::OfficerRequired);
            }
            (Some(Decider::Officer { id }), _) => id,
            (None, _) => circumstances.actor.as_officer().ok_or(Rejection::OfficerRequired)?,
        };
        self.authorised(officer, request_type, context)
    }

    /// What the register vouches for about an officer who may decide this case.
    pub(super) fn authorised<'c>(
        &self,
        officer: &OfficerId,
        request_type: &RequestType,
        context: &'c DecisionContext,
    ) -> Result<&'c Authority, Rejection> {
        let authority = context.authority.as_ref().filter(|authority| authority.is_of(officer));
        let authority = authority.ok_or(Rejection::OfficerNotRegistered)?;
        if !authority.is_of_any(&request_type.deciding_teams) {
            return Err(Rejection::OfficerNotAuthorised);
        }
        // What the ombudsman or the commissioner decided, anybody may record.
        if !request_type.others_set_the_day && self.earlier_deciders.contains(officer) {
            return Err(Rejection::SameReviewer);
        }
        Ok(authority)
    }
}

/// Exemptions stand exactly where the outcome rests on some.
pub(super) fn check_exemptions(needed: bool, exemptions: &[RuleCode]) -> Result<(), Rejection> {
    match (needed, exemptions.is_empty()) {
        (true, true) => Err(Rejection::ExemptionsRequired),
        (false, false) => Err(Rejection::ExemptionsNotExpected),
        _ => Ok(()),
    }
}
