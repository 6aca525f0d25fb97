//! How a case begins.

use schemas::CaseId;
use schemas::command::{Circumstances, SubmitRequest};
use schemas::event::{Follows, RequestSubmitted};
use schemas::query::CaseStatus;

use super::{Submitted, clocks};
use crate::context::DecisionContext;
use crate::customer::Customer;
use crate::rejection::Rejection;

pub(super) fn submit(
    submit: &SubmitRequest,
    circumstances: &Circumstances,
    context: &DecisionContext,
) -> Result<RequestSubmitted, Rejection> {
    let request_type = context
        .request_type
        .as_ref()
        .filter(|request_type| request_type.code == submit.request_type);
    let request_type = request_type.ok_or(Rejection::UnknownRequestType)?;
    let submission = context.submission.as_ref().ok_or(Rejection::NoReference)?;
    if submit.customer_id.is_none() && !request_type.anonymous {
        return Err(Rejection::CustomerRequired);
    }
    if let Some(into) = context.other_customer.as_deref().and_then(Customer::merged_into) {
        return Err(Rejection::OpenedForMerged { into: into.to_string() });
    }
    context.check_person(circumstances, submit.customer_id, &request_type.service)?;
    if !request_type.channels.contains(&circumstances.channel) {
        return Err(Rejection::ChannelNotOffered);
    }
    let faults = request_type.check_answers(&submit.answers, true);
    if !faults.is_empty() {
        return Err(Rejection::InvalidAnswers { faults });
    }
    // What was the first stage may lie in no system of ours: an officer who says why, and an import, bring it all the same.
    let explained = circumstances.actor.as_officer().is_some() && circumstances.reason.is_some();
    let imported = context.may_leave_decider_unrecorded;
    if request_type.only_as_next_stage && submit.follows.is_none() && !explained && !imported {
        return Err(Rejection::FollowsRequired);
    }
    let follows = submit
        .follows
        .map(|earlier| follows(earlier, submit, context))
        .transpose()?;
    let mut event = RequestSubmitted {
        reference: submission.reference.clone(),
        service: request_type.service.clone(),
        request_type: request_type.code.clone(),
        class: request_type.class,
        reporting_code: request_type.reporting_code.clone(),
        catalogue_version: submission.catalogue_version.clone(),
        customer_id: submit.customer_id,
        follows,
        description: submit.description.clone(),
        place: submit.place.clone(),
        located: context.located.clone().filter(|_| submit.place.is_some()),
        answers: submit.answers.clone(),
        received_on: context.received_on(circumstances),
        team: request_type.delivery.team.clone(),
        reason: circumstances.reason.clone(),
        clocks: Vec::new(),
    };
    if let Some(files) = &context.clock_files {
        let opened = Submitted::new(&event, Some(context.occurred_at(circumstances)));
        event.clocks = clocks::worked_out(files, request_type, &opened.standing);
    }
    Ok(event)
}

/// A next stage follows one case, of the same person, that is closed, and whose type says so.
fn follows(earlier: CaseId, submit: &SubmitRequest, context: &DecisionContext) -> Result<Follows, Rejection> {
    let case = context
        .other_case
        .as_deref()
        .filter(|_| context.other_case_id == Some(earlier));
    let case = case.ok_or(Rejection::UnknownEarlierCase)?;
    let opened = case.opened().ok_or(Rejection::UnknownEarlierCase)?;
    if case.status() != Some(CaseStatus::Closed) {
        return Err(Rejection::EarlierCaseNotClosed);
    }
    if opened.customer_id.is_none() || opened.customer_id != submit.customer_id {
        return Err(Rejection::EarlierCaseOfAnother);
    }
    let earlier_type = context
        .other_type
        .as_ref()
        .filter(|other| other.code == opened.request_type);
    if earlier_type.is_none_or(|earlier_type| earlier_type.reopening.successor != submit.request_type) {
        return Err(Rejection::NotItsNextStage);
    }
    Ok(Follows {
        case_id: earlier,
        decided_by: case.deciders().cloned().collect(),
    })
}
