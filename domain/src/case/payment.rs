//! What a case costs, and what became of that. The catalogue's fees are asked for by themselves, in the same append as what they
//! follow from; what is no longer asked for when a case ends is said as well, so that the sum of a payment's events always balances.

use catalogue::{Fee, FeeDue, RequestType, london};
use schemas::command::{
    ActorKind, Circumstances, DecideRefund, GrantConcession, RecordPayment, RecordPaymentFailure, RecordRefund,
    RequestPayment, WriteOffPayment,
};
use schemas::event::{
    CaseEvent, ConcessionGranted, OutcomeKind, PaymentDropped, PaymentDue, PaymentFailed, PaymentReceived,
    PaymentRefunded, PaymentWrittenOff, RefundDecided,
};
use schemas::money::{Currency, Pence};
use schemas::query::PaymentSummary;
use schemas::{PaymentNumber, QuestionId};
use serde::{Deserialize, Serialize};

use super::Submitted;
use super::standing::Status;
use crate::context::{Authority, DecisionContext};
use crate::rejection::Rejection;

/// A payment, as the events of its case leave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payment {
    number: PaymentNumber,
    what: QuestionId,
    /// Whether the catalogue asks for it, and no officer.
    by_catalogue: bool,
    waits: bool,
    /// What was asked for, less concessions.
    due: Pence,
    paid: Pence,
    written_off: Pence,
    dropped: Pence,
    refund_decided: Pence,
    refunded: Pence,
}

impl Payment {
    /// What is still to be paid.
    pub(crate) fn outstanding(&self) -> Pence {
        self.due.less(self.paid).less(self.written_off).less(self.dropped)
    }

    /// What can still be given back.
    fn refundable(&self) -> Pence {
        self.paid.less(self.refund_decided)
    }

    /// What is to go back and has not yet.
    fn refund_owed(&self) -> Pence {
        self.refund_decided.less(self.refunded)
    }

    /// As a query tells it.
    pub(crate) fn told(&self) -> PaymentSummary {
        PaymentSummary {
            number: self.number,
            what: self.what.clone(),
            pence: self.due,
            outstanding: self.outstanding(),
            paid: self.paid,
            given_up: self.written_off.plus(self.dropped),
            refund_owed: self.refund_owed(),
            refunded: self.refunded,
            waits: self.waits,
        }
    }
}

/// Takes in an event, where it is about a payment.
pub(super) fn apply(payments: &mut Vec<Payment>, event: &CaseEvent) {
    let mut change = |number: PaymentNumber, change: &dyn Fn(&mut Payment)| {
        if let Some(payment) = payments.iter_mut().find(|payment| payment.number == number) {
            change(payment);
        }
    };
    match event {
        CaseEvent::ConcessionGranted(event) => change(event.payment, &|payment| payment.due = event.pence_due),
        CaseEvent::PaymentReceived(event) => {
            change(event.payment, &|payment| payment.paid = payment.paid.plus(event.pence))
        }
        CaseEvent::RefundDecided(event) => change(event.payment, &|payment| {
            payment.refund_decided = payment.refund_decided.plus(event.pence);
        }),
        CaseEvent::PaymentRefunded(event) => change(event.payment, &|payment| {
            payment.refunded = payment.refunded.plus(event.pence);
        }),
        CaseEvent::PaymentWrittenOff(event) => change(event.payment, &|payment| {
            payment.written_off = payment.written_off.plus(event.pence);
        }),
        CaseEvent::PaymentDropped(event) => change(event.payment, &|payment| {
            payment.dropped = payment.dropped.plus(event.pence);
        }),
        CaseEvent::PaymentDue(event) => payments.push(Payment {
            number: event.payment,
            what: event.what.clone(),
            by_catalogue: event.decided_by.is_none(),
            waits: event.waits,
            due: event.pence,
            paid: Pence::ZERO,
            written_off: Pence::ZERO,
            dropped: Pence::ZERO,
            refund_decided: Pence::ZERO,
            refunded: Pence::ZERO,
        }),
        _ => {}
    }
}

/// The events of a command, and what they mean for what the case costs.
pub(super) fn follow(
    before: Option<&Submitted>,
    mut events: Vec<CaseEvent>,
    circumstances: &Circumstances,
    context: &DecisionContext,
) -> Vec<CaseEvent> {
    if !events.iter().any(turns) || context.may_leave_decider_unrecorded {
        return events;
    }
    let changed_type = events.iter().any(|event| matches!(event, CaseEvent::TypeChanged(_)));
    let request_type = if changed_type {
        &context.other_type
    } else {
        &context.request_type
    };
    let Some(request_type) = request_type else {
        return events;
    };
    let at = context.occurred_at(circumstances);
    let costs_nothing = request_type.fees.is_empty() && before.is_none_or(|before| before.payments.is_empty());
    if costs_nothing {
        return events;
    }
    let Some(mut after) = super::folded(before, &events, at) else {
        return events;
    };
    let mut follows = after.dropped(request_type, changed_type);
    for event in &follows {
        after.fold(event, Some(at));
    }
    let is_new = events
        .iter()
        .any(|event| matches!(event, CaseEvent::RequestSubmitted(_) | CaseEvent::TypeChanged(_)));
    follows.extend(after.asked_for(request_type, is_new));
    events.extend(follows);
    events
}

/// Whether something follows from an event for what a case costs.
const fn turns(event: &CaseEvent) -> bool {
    matches!(
        event,
        CaseEvent::RequestSubmitted(_)
            | CaseEvent::TypeChanged(_)
            | CaseEvent::DecisionRecorded(_)
            | CaseEvent::RequestClosed(_)
            | CaseEvent::RequestCancelled(_)
            | CaseEvent::RequestReopened(_)
            | CaseEvent::EntryCorrected(_)
    )
}

impl Submitted {
    /// Whether something has to be paid before anything goes on.
    pub(super) fn waits_for_payment(&self) -> bool {
        self.payments
            .iter()
            .any(|payment| payment.waits && !payment.outstanding().is_zero())
    }

    /// Whether what was applied for is granted, as things stand.
    pub(super) fn is_granted(&self, request_type: &RequestType) -> bool {
        // What is no longer wanted is not granted, whatever was decided before.
        if self.standing.status == Status::Cancelled {
            return false;
        }
        let decided = self.standing.decision.as_ref().map(|decision| &decision.outcome);
        let outcome = self.standing.outcome().map(|(outcome, _)| outcome).or(decided);
        outcome
            .and_then(|outcome| request_type.outcome(outcome))
            .is_some_and(|outcome| outcome.grants)
    }

    /// What is no longer asked for: after a cancellation, after a decision that grants nothing, and the fee of a grant that was
    /// struck out, or of a type that it is not.
    fn dropped(&self, request_type: &RequestType, changed_type: bool) -> Vec<CaseEvent> {
        let granted = self.is_granted(request_type);
        let ended_for_nothing = match &self.standing.status {
            Status::Open => false,
            Status::Cancelled => true,
            Status::Closed { kind, .. } => *kind == OutcomeKind::Decision && !granted,
        };
        let of_type = |what: &QuestionId| request_type.fees.iter().find(|fee| fee.id == *what);
        let is_over = |payment: &&Payment| {
            let fee = of_type(&payment.what);
            let of_a_grant = fee.is_some_and(|fee| fee.due == FeeDue::OnApproval && !granted);
            ended_for_nothing || (payment.by_catalogue && (changed_type || of_a_grant))
        };
        let outstanding = self.payments.iter().filter(|payment| !payment.outstanding().is_zero());
        let dropped = outstanding.filter(is_over).map(|payment| PaymentDropped {
            payment: payment.number,
            pence: payment.outstanding(),
        });
        dropped.map(Into::into).collect()
    }

    /// The catalogue's fees that have to be asked for: of what is new, of what is granted, and of what was dropped and is wanted again.
    fn asked_for(&self, request_type: &RequestType, is_new: bool) -> Vec<CaseEvent> {
        let received_on = self.opened.received_on;
        let mut fees: Vec<&Fee> = Vec::new();
        if self.standing.status == Status::Open {
            let wanted = |fee: &&Fee| is_new || self.payments.iter().any(|payment| payment.what == fee.id);
            fees.extend(
                request_type
                    .fees_on(FeeDue::OnRequest, received_on)
                    .into_iter()
                    .filter(wanted),
            );
        }
        if self.is_granted(request_type) {
            fees.extend(request_type.fees_on(FeeDue::OnApproval, received_on));
        }
        let stands = |fee: &Fee| {
            let mut asked = self.payments.iter().filter(|payment| payment.what == fee.id);
            asked.any(|payment| payment.dropped.is_zero())
        };
        let mut number = self.next_payment();
        let mut due = Vec::new();
        for fee in fees.into_iter().filter(|fee| !stands(fee)) {
            let event = PaymentDue {
                payment: number,
                what: fee.id.clone(),
                pence: fee.pence,
                waits: fee.waits,
                decided_by: None,
                reason: None,
            };
            due.push(event.into());
            number = number.next();
        }
        due
    }

    fn next_payment(&self) -> PaymentNumber {
        self.payments
            .last()
            .map_or(PaymentNumber::FIRST, |last| last.number.next())
    }

    fn payment(&self, number: PaymentNumber) -> Result<&Payment, Rejection> {
        let payment = self.payments.iter().find(|payment| payment.number == number);
        payment.ok_or(Rejection::UnknownPayment)
    }

    /// One of which something is still to be paid.
    fn outstanding(&self, number: PaymentNumber) -> Result<&Payment, Rejection> {
        let payment = self.payment(number)?;
        if payment.outstanding().is_zero() {
            return Err(Rejection::NothingOutstanding);
        }
        Ok(payment)
    }

    /// The officer who acts, where they may decide such cases.
    fn deciding_officer<'c>(
        &self,
        circumstances: &Circumstances,
        context: &'c DecisionContext,
    ) -> Result<&'c Authority, Rejection> {
        let request_type = context.request_type.as_deref().ok_or(Rejection::RequestTypeGone)?;
        let officer = circumstances.actor.as_officer().ok_or(Rejection::ActorNotAllowed)?;
        self.authorised(officer, request_type, context)
    }

    pub(super) fn request_payment(
        &self,
        request: &RequestPayment,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<PaymentDue, Rejection> {
        self.must_be_open()?;
        let authority = self.deciding_officer(circumstances, context)?;
        if request.pence.is_zero() {
            return Err(Rejection::NoAmount);
        }
        Ok(PaymentDue {
            payment: self.next_payment(),
            what: request.what.clone(),
            pence: request.pence,
            waits: request.waits,
            decided_by: Some(authority.officer().clone()),
            reason: circumstances.reason.clone(),
        })
    }

    pub(super) fn grant_concession(
        &self,
        grant: &GrantConcession,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<ConcessionGranted, Rejection> {
        let authority = self.deciding_officer(circumstances, context)?;
        let payment = self.outstanding(grant.payment)?;
        if grant.pence >= payment.due {
            return Err(Rejection::NoConcession);
        }
        Ok(ConcessionGranted {
            payment: grant.payment,
            pence_off: payment.due.less(grant.pence),
            pence_due: grant.pence,
            decided_by: authority.officer().clone(),
            rule: grant.rule.clone(),
            reason: circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?,
        })
    }

    /// Whoever pays pays all that is outstanding, in pounds.
    pub(super) fn record_payment(
        &self,
        paid: &RecordPayment,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<PaymentReceived, Rejection> {
        takes_money(circumstances, context)?;
        let payment = self.outstanding(paid.payment)?;
        if paid.currency != Currency::POUNDS_STERLING {
            return Err(Rejection::WrongCurrency);
        }
        let outstanding = payment.outstanding();
        if paid.pence != outstanding {
            return Err(Rejection::WrongAmount {
                outstanding: outstanding.get(),
            });
        }
        Ok(PaymentReceived {
            payment: paid.payment,
            pence: paid.pence,
            provider: paid.provider.clone(),
            provider_ref: paid.provider_ref.clone(),
            paid_on: london::day_of(context.occurred_at(circumstances).get()),
            reason: circumstances.reason.clone(),
        })
    }

    pub(super) fn payment_failed(
        &self,
        failed: &RecordPaymentFailure,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<PaymentFailed, Rejection> {
        takes_money(circumstances, context)?;
        self.outstanding(failed.payment)?;
        let RecordPaymentFailure {
            payment,
            provider,
            provider_ref,
            code,
        } = failed.clone();
        Ok(PaymentFailed {
            payment,
            provider,
            provider_ref,
            code,
            reason: circumstances.reason.clone(),
        })
    }

    pub(super) fn decide_refund(
        &self,
        refund: &DecideRefund,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<RefundDecided, Rejection> {
        let authority = self.deciding_officer(circumstances, context)?;
        let payment = self.payment(refund.payment)?;
        if refund.pence.is_zero() {
            return Err(Rejection::NoAmount);
        }
        let refundable = payment.refundable();
        if refund.pence > refundable {
            return Err(Rejection::MoreThanPaid {
                refundable: refundable.get(),
            });
        }
        Ok(RefundDecided {
            payment: refund.payment,
            pence: refund.pence,
            decided_by: authority.officer().clone(),
            reason: circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?,
        })
    }

    pub(super) fn record_refund(
        &self,
        refund: &RecordRefund,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<PaymentRefunded, Rejection> {
        takes_money(circumstances, context)?;
        let payment = self.payment(refund.payment)?;
        if refund.currency != Currency::POUNDS_STERLING {
            return Err(Rejection::WrongCurrency);
        }
        let owed = payment.refund_owed();
        if refund.pence.is_zero() || refund.pence > owed {
            return Err(Rejection::RefundNotDecided { owed: owed.get() });
        }
        Ok(PaymentRefunded {
            payment: refund.payment,
            pence: refund.pence,
            provider: refund.provider.clone(),
            provider_ref: refund.provider_ref.clone(),
            refunded_on: london::day_of(context.occurred_at(circumstances).get()),
            reason: circumstances.reason.clone(),
        })
    }

    pub(super) fn write_off(
        &self,
        write_off: &WriteOffPayment,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<PaymentWrittenOff, Rejection> {
        let authority = self.deciding_officer(circumstances, context)?;
        let payment = self.outstanding(write_off.payment)?;
        Ok(PaymentWrittenOff {
            payment: write_off.payment,
            pence: payment.outstanding(),
            decided_by: authority.officer().clone(),
            rule: write_off.rule.clone(),
            reason: circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?,
        })
    }
}

/// Only a system of the council's, which the provider tells, and an officer at a desk say what money moved.
fn takes_money(circumstances: &Circumstances, context: &DecisionContext) -> Result<(), Rejection> {
    match circumstances.actor.kind {
        ActorKind::System => Ok(()),
        ActorKind::Officer => context.acting_officer(circumstances).map(drop),
        ActorKind::Resident | ActorKind::Representative | ActorKind::Contractor => Err(Rejection::ActorNotAllowed),
    }
}
