//! How a case begins.

use catalogue::RequestType;
use domain::Rejection;
use schemas::event::{CaseEvent, RequestSubmitted};
use serde_json::json;

use crate::fixtures::*;

fn bin() -> serde_json::Value {
    json!({ "request_type": "missed-bin", "answers": { "bin_type": "refuse" } })
}

#[test]
fn a_request_is_opened_with_what_the_catalogue_says_of_it() {
    when(vec![], "SubmitRequest", bin()).then(vec![submitted()]);
}

#[test]
fn the_day_that_clocks_start_from_is_the_given_one_or_london_s() {
    let received_on = |extra: serde_json::Value| {
        let mut data = bin();
        data.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        match when(vec![], "SubmitRequest", data).events().as_slice() {
            [CaseEvent::RequestSubmitted(RequestSubmitted { received_on, .. })] => received_on.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        received_on(json!({ "occurred_at": "2026-05-01T23:30:00Z" })),
        "2026-05-02"
    );
    assert_eq!(received_on(json!({ "received_on": "2026-04-30" })), "2026-04-30");
}

#[test]
fn what_the_catalogue_does_not_allow_is_rejected() {
    when(vec![], "SubmitRequest", bin())
        .facts(|facts| facts.request_type = None)
        .rejected(Rejection::UnknownRequestType);
    when(vec![], "SubmitRequest", bin())
        .facts(|facts| facts.submission = None)
        .rejected(Rejection::NoReference);
    let with = |change: fn(&mut RequestType)| {
        move |facts: &mut domain::DecisionContext| {
            let mut request_type = RequestType::clone(facts.request_type.as_ref().unwrap());
            change(&mut request_type);
            facts.request_type = Some(request_type.into());
        }
    };
    when(vec![], "SubmitRequest", bin())
        .facts(with(|it| it.anonymous = false))
        .rejected(Rejection::CustomerRequired);
    when(vec![], "SubmitRequest", bin())
        .facts(with(|it| it.channels.clear()))
        .rejected(Rejection::ChannelNotOffered);
    let faults = request_type("missed-bin").check_answers(&std::collections::BTreeMap::new(), true);
    when(vec![], "SubmitRequest", json!({ "request_type": "missed-bin" }))
        .rejected(Rejection::InvalidAnswers { faults });
}

#[test]
fn a_stream_begins_once_and_only_with_a_submission() {
    when(vec![submitted()], "SubmitRequest", bin()).rejected(Rejection::AlreadyExists);
    when(vec![], "CancelRequest", json!({})).rejected(Rejection::UnknownCase);
}

#[test]
fn nothing_lies_in_the_future_or_before_the_first_event() {
    let data = |extra: serde_json::Value| {
        let mut data = bin();
        data.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        data
    };
    when(
        vec![],
        "SubmitRequest",
        data(json!({ "occurred_at": "2026-05-20T12:00:01Z" })),
    )
    .rejected(Rejection::OccurredInTheFuture);
    when(vec![], "SubmitRequest", data(json!({ "received_on": "2026-05-21" })))
        .rejected(Rejection::ReceivedInTheFuture);
    when(
        vec![submitted()],
        "CancelRequest",
        json!({ "occurred_at": "2026-05-01T08:59:59Z" }),
    )
    .rejected(Rejection::OccurredBeforeTheFirst);
    when(
        vec![submitted()],
        "CancelRequest",
        json!({ "occurred_at": "2026-05-01T09:00:00Z" }),
    )
    .then(vec![cancelled()]);
}
