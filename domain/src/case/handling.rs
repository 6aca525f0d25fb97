//! Keeping in touch, taking more time, asking others.

use schemas::command::{
    ActorKind, Circumstances, ExtendTime, ExtensionGround, LinkCase, RecordContact, RecordFindings,
    SendForInvestigation, SetDeadline,
};
use schemas::event::{
    CaseEvent, CaseLinked, ContactRecorded, DeadlineSet, FindingsReceived, RequestAcknowledged, SentForInvestigation,
    TimeExtended,
};

use super::information::must_be_an_officer;
use super::{Entered, Submitted, one};
use crate::clock;
use crate::context::DecisionContext;
use crate::rejection::Rejection;

impl Submitted {
    /// Acknowledged once since it was opened last: a second time changes nothing.
    pub(super) fn acknowledge(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        if circumstances.actor.kind != ActorKind::System {
            must_be_an_officer(circumstances, context)?;
        }
        let moved = &self.standing.moved;
        if moved.iter().any(|moved| matches!(moved, Entered::Acknowledged { .. })) {
            return Ok(Vec::new());
        }
        let acknowledged_on = context.received_on(circumstances);
        self.must_not_precede_receipt(acknowledged_on)?;
        let mut event = RequestAcknowledged {
            acknowledged_on,
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(one(event))
    }

    /// Time is taken on a ground that the type's clocks know, and only where it gives some.
    pub(super) fn extend_time(
        &self,
        extend: &ExtendTime,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<TimeExtended, Rejection> {
        self.must_be_open()?;
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        let officer = circumstances.actor.as_officer().ok_or(Rejection::OfficerRequired)?;
        let authority = self.authorised(officer, request_type, context)?;
        if !clock::can_be_extended(request_type, extend.ground) {
            return Err(Rejection::ExtensionNotForThisType);
        }
        let counts = extend.ground == ExtensionGround::MoreWorkingDays;
        if counts != extend.working_days.is_some_and(|days| days > 0) {
            return Err(Rejection::ExtensionDays);
        }
        let told_on = context.received_on(circumstances);
        self.must_not_precede_receipt(told_on)?;
        let ExtendTime {
            ground,
            working_days,
            good_reason,
            explanation,
        } = extend.clone();
        let mut event = TimeExtended {
            ground,
            working_days,
            good_reason,
            explanation,
            decided_by: authority.officer().clone(),
            told_on,
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        if context.clock_files.is_some() && event.clocks == self.clocks.running() {
            return Err(Rejection::ExtensionWithoutEffect);
        }
        Ok(event)
    }

    /// Only where the catalogue says that somebody else sets the day.
    pub(super) fn set_deadline(
        &self,
        set: &SetDeadline,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_open()?;
        must_be_an_officer(circumstances, context)?;
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        if !request_type.others_set_the_day {
            return Err(Rejection::NobodySetsTheDay);
        }
        self.must_not_precede_receipt(set.due_on)
            .map_err(|_| Rejection::DeadlineBeforeTheReceipt)?;
        if self.standing.set_day == Some(set.due_on) {
            return Ok(Vec::new());
        }
        let mut event = DeadlineSet {
            due_on: set.due_on,
            clocks: Vec::new(),
            reason: circumstances.reason.clone(),
        };
        event.clocks = self.clocks_after(&event.clone().into(), context, context.occurred_at(circumstances));
        Ok(one(event))
    }

    /// A case is linked to another that is there; once for each relation.
    pub(super) fn link(
        &self,
        link: &LinkCase,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        if circumstances.actor.kind != ActorKind::System {
            must_be_an_officer(circumstances, context)?;
        }
        let other = context
            .other_case
            .as_deref()
            .filter(|_| context.other_case_id == Some(link.case_id));
        let other = other
            .and_then(|other| other.opened())
            .ok_or(Rejection::UnknownOtherCase)?;
        if other.reference == self.opened.reference {
            return Err(Rejection::LinkedToItself);
        }
        let what = Entered::Linked {
            relation: link.relation,
            case_id: link.case_id,
        };
        if self.entries.iter().any(|entry| entry.what == what) {
            return Ok(Vec::new());
        }
        let LinkCase { relation, case_id } = link.clone();
        Ok(one(CaseLinked {
            relation,
            case_id,
            reason: circumstances.reason.clone(),
        }))
    }

    /// Only whom the catalogue lists for the type is asked; what they were given, and why that is allowed, is recorded with it.
    pub(super) fn send_out(
        &self,
        send: &SendForInvestigation,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<SentForInvestigation, Rejection> {
        self.must_be_open()?;
        must_be_an_officer(circumstances, context)?;
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        let mut recipients = request_type.recipients.iter();
        let listed = recipients.find(|listed| listed.name == send.recipient.as_str());
        let listed = listed.ok_or(Rejection::UnknownRecipient)?;
        let asked_on = context.received_on(circumstances);
        if send.answer_by.is_some_and(|day| day <= asked_on) {
            return Err(Rejection::AnswerByPast);
        }
        let SendForInvestigation {
            recipient,
            question,
            answer_by,
        } = send.clone();
        Ok(SentForInvestigation {
            recipient,
            question,
            purpose: listed.purpose.clone(),
            legal_basis: request_type.legal_basis.as_str().to_owned(),
            fields: listed.fields.clone(),
            asked_on,
            answer_by,
            reason: circumstances.reason.clone(),
        })
    }

    /// Findings come from somebody who was asked, each time once. They decide nothing.
    pub(super) fn findings(
        &self,
        record: &RecordFindings,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<FindingsReceived, Rejection> {
        self.must_be_open()?;
        match circumstances.actor.kind {
            ActorKind::System | ActorKind::Contractor => {}
            _ => _ = must_be_an_officer(circumstances, context)?,
        }
        if !self.standing.asked.contains(&record.recipient) {
            return Err(Rejection::NobodyAskedThem);
        }
        let RecordFindings { recipient, findings } = record.clone();
        Ok(FindingsReceived {
            recipient,
            findings,
            received_on: context.received_on(circumstances),
            reason: circumstances.reason.clone(),
        })
    }
}

/// A contact may be recorded at any time.
pub(super) fn contact(
    contact: &RecordContact,
    circumstances: &Circumstances,
    context: &DecisionContext,
) -> Result<ContactRecorded, Rejection> {
    if circumstances.actor.kind != ActorKind::System {
        must_be_an_officer(circumstances, context)?;
    }
    let RecordContact { direction, summary } = contact.clone();
    Ok(ContactRecorded {
        direction,
        summary,
        reason: circumstances.reason.clone(),
    })
}
