//! What can happen to a case on its way.

use domain::Rejection;
use schemas::TeamName;
use schemas::command::NoticeMedium;
use schemas::event::{
    CaseEvent, NotificationFailure, RequestAssigned, RequestCancelled, RequestReopened, RequestUpdated,
};
use serde_json::{Value, json};

use crate::fixtures::*;

#[test]
fn an_open_case_is_updated_with_what_is_given() {
    let expected = RequestUpdated {
        description: Some(sealed()),
        place: None,
        located: None,
        answers: Default::default(),
        reason: Some(sealed()),
    };
    when(
        vec![submitted()],
        "UpdateRequest",
        json!({ "description": "by the gate", "reason": "moved" }),
    )
    .then(vec![expected.into()]);
}

#[test]
fn an_update_must_say_something_and_answer_what_was_asked() {
    when(vec![submitted()], "UpdateRequest", json!({ "reason": "why not" })).rejected(Rejection::NothingGiven);
    let update = json!({ "answers": { "bin_type": "coal" } });
    assert!(matches!(
        domain::decide(None, &command("UpdateRequest", update.clone()), &context()),
        Err(Rejection::UnknownCase)
    ));
    let faults = {
        let mut answers = serde_json::from_value(json!({ "bin_type": "coal" })).unwrap();
        request_type("missed-bin").mark_answers(&mut answers);
        request_type("missed-bin").check_answers(&answers, false)
    };
    when(vec![submitted()], "UpdateRequest", update).rejected(Rejection::InvalidAnswers { faults });
}

#[test]
fn what_is_for_open_cases_is_rejected_on_others() {
    let assign = by_officer(json!({ "team": "waste-client" }));
    for (name, data) in [
        ("UpdateRequest", json!({ "description": "x" })),
        ("AssignRequest", assign),
        ("CancelRequest", json!({})),
    ] {
        when(vec![submitted(), closed()], name, data.clone()).rejected(Rejection::CaseClosed);
        if name != "CancelRequest" {
            when(vec![submitted(), cancelled()], name, data).rejected(Rejection::CaseCancelled);
        }
    }
    when(vec![submitted(), cancelled()], "CancelRequest", json!({})).rejected(Rejection::AlreadyCancelled);
}

#[test]
fn a_case_is_given_to_a_team_and_an_officer_of_it() {
    let team = TeamName::new("waste-client").unwrap();
    let data = by_officer(json!({ "team": "waste-client", "officer": "j.okafor" }));
    let events = when(vec![submitted()], "AssignRequest", data.clone()).events();
    let officer = schemas::OfficerId::new("j.okafor").unwrap();
    assert_eq!(
        events,
        [RequestAssigned {
            team,
            officer: Some(officer),
            reason: None
        }
        .into()]
    );
    when([vec![submitted()], events].concat(), "AssignRequest", data.clone()).then(vec![]);

    let rejected = |data: Value, facts: fn(&mut domain::DecisionContext), expected| {
        when(vec![submitted()], "AssignRequest", data)
            .facts(facts)
            .rejected(expected);
    };
    rejected(
        data.clone(),
        |facts| facts.authority = None,
        Rejection::AssigneeNotRegistered,
    );
    rejected(
        data.clone(),
        |facts| facts.authority = Some(authority("a.other", &["waste-client"])),
        Rejection::AssigneeNotRegistered,
    );
    rejected(
        data,
        |facts| facts.authority = Some(authority("j.okafor", &["complaints"])),
        Rejection::AssigneeNotOfTeam,
    );
    rejected(
        by_officer(json!({ "team": "no-such-team" })),
        |_| {},
        Rejection::UnknownTeam,
    );
    rejected(
        by_officer(json!({ "team": "waste-client" })),
        |facts| facts.request_type = None,
        Rejection::RequestTypeGone,
    );
    rejected(json!({ "team": "waste-client" }), |_| {}, Rejection::ActorNotAllowed);
}

#[test]
fn a_reopened_case_goes_back_to_the_team_that_delivers_and_is_counted() {
    let reopen = json!({ "reason": "it is still there" });
    when(vec![submitted(), closed()], "ReopenRequest", reopen.clone()).then(vec![reopened()]);
    let twice = when(
        vec![submitted(), closed(), reopened(), closed()],
        "ReopenRequest",
        reopen,
    )
    .events();
    assert!(matches!(twice.as_slice(), [CaseEvent::RequestReopened(event)] if event.times == 2));
}

#[test]
fn a_case_is_reopened_only_when_closed_in_time_and_with_a_reason() {
    let reopen = |extra: Value| {
        let mut data = json!({ "reason": "it is still there" });
        data.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        data
    };
    let closed = || vec![submitted(), closed()];
    when(vec![submitted()], "ReopenRequest", reopen(json!({}))).rejected(Rejection::NotClosed);
    when(vec![submitted(), cancelled()], "ReopenRequest", reopen(json!({}))).rejected(Rejection::CaseCancelled);
    when(closed(), "ReopenRequest", json!({})).rejected(Rejection::ReasonRequired);
    when(
        closed(),
        "ReopenRequest",
        reopen(json!({ "occurred_at": "2026-05-10T08:59:59Z" })),
    )
    .rejected(Rejection::OccurredBeforeTheClosing);
    // Closed on 10 May; 14 days: 24 May is the last, to London's midnight.
    let late =
        |now: &'static str| when(closed(), "ReopenRequest", reopen(json!({}))).facts(move |facts| facts.now = at(now));
    let CaseEvent::RequestReopened(expected) = reopened() else {
        unreachable!()
    };
    let received_on = "2026-05-24".parse().unwrap();
    let expected = RequestReopened {
        received_on,
        ..expected
    };
    assert_eq!(late("2026-05-24T22:59:59Z").events(), [expected.into()]);
    late("2026-05-24T23:00:00Z").rejected(Rejection::ReopeningPeriodOver {
        successor: "missed-bin".into(),
    });
}

fn notification(delivery: Value) -> Value {
    json!({
        "notice": "request_received", "about_event": "019d4d6c-a8e0-7b5c-84df-7eec7d32a781", "about_position": 2,
        "recipient": "90f9aa8f-c795-5f76-a4d7-68c0ad433bc8", "medium": "email", "delivery": delivery,
        "actor": { "kind": "system", "id": "notifier" }, "channel": "system"
    })
}

#[test]
fn the_end_of_a_notice_is_recorded_once_whatever_state_the_case_is_in() {
    let sent = || notification(json!({ "result": "sent", "message_id": "<1@x>", "attempts": 1 }));
    for given in [
        vec![submitted()],
        vec![submitted(), closed()],
        vec![submitted(), cancelled()],
    ] {
        let events = when(given.clone(), "RecordNotification", sent()).events();
        assert!(
            matches!(events.as_slice(), [CaseEvent::NotificationSent(event)] if event.medium == NoticeMedium::Email)
        );
        let given = [given, events].concat();
        when(given.clone(), "RecordNotification", sent()).then(vec![]);
        when(
            given,
            "RecordNotification",
            notification(json!({ "result": "no_address" })),
        )
        .then(vec![]);
    }
}

#[test]
fn a_notice_that_reached_nobody_says_why() {
    let failure = |delivery: Value| match when(vec![submitted()], "RecordNotification", notification(delivery))
        .events()
        .as_slice()
    {
        [CaseEvent::NotificationFailed(event)] => (event.failure, event.attempts),
        other => panic!("{other:?}"),
    };
    let given_up = json!({ "result": "failed", "message_id": "<1@x>", "attempts": 9, "code": "550" });
    assert_eq!(failure(given_up), (NotificationFailure::GivenUp, 9));
    assert_eq!(
        failure(json!({ "result": "no_address" })),
        (NotificationFailure::NoAddress, 0)
    );
}

#[test]
fn only_a_system_records_notices() {
    let mut data = notification(json!({ "result": "no_address" }));
    data["actor"] = json!({ "kind": "officer", "id": "j.okafor" });
    when(vec![submitted()], "RecordNotification", data).rejected(Rejection::ActorNotAllowed);
}

#[test]
fn an_officer_who_cancels_on_nobodys_behalf_may_decide_and_says_why() {
    let cancel = |data: Value| when(vec![submitted()], "CancelRequest", by_officer(data));
    cancel(json!({})).rejected(Rejection::ReasonRequired);
    let reason = Some(sealed());
    cancel(json!({ "reason": "Reported by mistake." })).then(vec![RequestCancelled { reason }.into()]);
    cancel(json!({ "reason": "Not ours." }))
        .facts(|facts| facts.authority = None)
        .rejected(Rejection::CancellingNotAuthorised);
    let crew = json!({ "actor": { "kind": "contractor", "id": "veridia" }, "channel": "crew" });
    when(vec![submitted()], "CancelRequest", crew).rejected(Rejection::ActorNotAllowed);
}

#[test]
fn an_officer_cancels_for_whose_case_it_is_and_for_nobody_else() {
    let cancel = |on_behalf_of: &str| {
        let mut cancel = by_officer(json!({ "on_behalf_of": on_behalf_of }));
        cancel["channel"] = json!("phone");
        cancel
    };
    let mut life = life("missed-bin");
    let submit = json!({ "request_type": "missed-bin", "customer_id": CUSTOMER, "answers": { "bin_type": "refuse" } });
    life.does("2026-05-18T09:00:00Z", "SubmitRequest", submit);
    life.facts.authority = Some(authority("j.okafor", &["pest-office"]));
    let another = "6f0a6b1e-7c1d-5c57-9f3a-2f6f0c6d9a11";
    assert_eq!(
        life.tries("2026-05-19T09:00:00Z", "CancelRequest", cancel(another)),
        Err(Rejection::CancellingNotAuthorised)
    );
    life.does("2026-05-19T09:00:00Z", "CancelRequest", cancel(CUSTOMER));
}

#[test]
fn nobody_asked_to_reopen_before_it_was_closed() {
    let mut life = life("missed-bin");
    let submit = json!({ "request_type": "missed-bin", "customer_id": CUSTOMER, "answers": { "bin_type": "refuse" } });
    life.does("2026-05-18T09:00:00Z", "SubmitRequest", submit);
    let close = by_officer(json!({ "outcome": "not-presented", "reasons": "none was out" }));
    life.does("2026-05-19T09:00:00Z", "CloseRequest", close);
    let reopen = |on: &str| json!({ "reason": "still there", "received_on": on });
    assert_eq!(
        life.tries("2026-05-20T09:00:00Z", "ReopenRequest", reopen("2026-05-18")),
        Err(Rejection::ReceivedBeforeTheClosing)
    );
    life.does("2026-05-20T09:00:00Z", "ReopenRequest", reopen("2026-05-19"));
}
