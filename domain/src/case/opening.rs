//! How a case begins.

use schemas::command::{Circumstances, SubmitRequest};
use schemas::event::RequestSubmitted;

use crate::context::DecisionContext;
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
    if !request_type.channels.contains(&circumstances.channel) {
        return Err(Rejection::ChannelNotOffered);
    }
    let faults = request_type.check_answers(&submit.answers, true);
    if !faults.is_empty() {
        return Err(Rejection::InvalidAnswers { faults });
    }
    Ok(RequestSubmitted {
        reference: submission.reference.clone(),
        service: request_type.service.clone(),
        request_type: request_type.code.clone(),
        class: request_type.class,
        reporting_code: request_type.reporting_code.clone(),
        catalogue_version: submission.catalogue_version.clone(),
        customer_id: submit.customer_id,
        description: submit.description.clone(),
        place: submit.place.clone(),
        answers: submit.answers.clone(),
        received_on: context.received_on(circumstances),
        team: request_type.delivery.team.clone(),
        reason: circumstances.reason.clone(),
    })
}
