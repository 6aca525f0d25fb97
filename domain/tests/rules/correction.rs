//! Mistakes, mended in the open.

use domain::Rejection;
use schemas::event::CaseEvent;
use schemas::query::CaseStatus;
use serde_json::{Value, json};

use crate::fixtures::*;

const NOON: &str = "2026-05-20T12:00:00Z";

fn case() -> Life {
    let mut life = life("missed-bin");
    let submit = json!({ "request_type": "missed-bin", "customer_id": CUSTOMER, "answers": { "bin_type": "refuse" } });
    life.does("2026-05-18T09:00:00Z", "SubmitRequest", submit);
    life
}

fn close() -> Value {
    by_officer(json!({ "outcome": "not-presented", "reasons": "none was out" }))
}

fn strike(entry: i64) -> Value {
    by_officer(json!({ "entry": entry, "reason": "The wrong case." }))
}

#[test]
fn a_case_that_was_closed_by_mistake_is_open_and_was_not_reopened() {
    let mut life = case();
    let before = life.clocks();
    life.does("2026-05-19T09:00:00Z", "CloseRequest", close());
    let events = life.does(NOON, "CorrectEntry", strike(2));
    let CaseEvent::EntryCorrected(corrected) = &events[0] else {
        panic!("a correction")
    };
    assert_eq!(corrected.entry_event, "RequestClosed");
    assert_eq!(corrected.standing.status, CaseStatus::Open);
    assert_eq!(life.case().status(), Some(CaseStatus::Open));
    assert_eq!((life.case().times_reopened(), life.case().outcome()), (0, None));
    assert_eq!(life.clocks(), before, "its clock runs on as if it had never stopped");
    life.does(NOON, "CloseRequest", close());
}

#[test]
fn a_reopening_by_mistake_leaves_it_closed_and_uncounted() {
    let mut life = case();
    life.does("2026-05-19T09:00:00Z", "CloseRequest", close());
    life.does(
        "2026-05-20T09:00:00Z",
        "ReopenRequest",
        json!({ "reason": "still there" }),
    );
    assert_eq!(
        life.tries(NOON, "CorrectEntry", strike(2)),
        Err(Rejection::EntryNotTheLast)
    );
    life.does(NOON, "CorrectEntry", strike(3));
    assert_eq!(life.case().status(), Some(CaseStatus::Closed));
    assert_eq!(life.case().times_reopened(), 0);
    assert_eq!(life.clocks(), "");
    // It can be reopened within the days of its closing, and counts once.
    life.does(NOON, "ReopenRequest", json!({ "reason": "it is still there" }));
    assert_eq!(life.case().times_reopened(), 1);
}

#[test]
fn a_question_asked_by_mistake_no_longer_holds_the_clock() {
    let mut life = life("foi");
    let submit = json!({ "request_type": "foi", "customer_id": CUSTOMER, "answers": { "wanted": "the contract" } });
    life.does("2026-10-05T09:00:00Z", "SubmitRequest", submit);
    let ask = by_officer(json!({ "wanted": "clarification", "question": "Which?" }));
    life.does("2026-10-12T09:00:00Z", "AskForInformation", ask);
    assert_eq!(life.clocks(), "foi SUSPENDED");
    life.does("2026-10-13T09:00:00Z", "CorrectEntry", strike(2));
    assert_eq!(life.clocks(), "foi 2026-11-02");
    assert_eq!(life.case().waiting_for().count(), 0);
}

#[test]
fn what_can_t_be_struck_out_stands() {
    let mut life = case();
    life.does("2026-05-19T09:00:00Z", "AddNote", by_officer(json!({ "note": "rang" })));
    life.does(
        "2026-05-19T09:00:00Z",
        "AssignRequest",
        by_officer(json!({ "team": "waste-client" })),
    );
    for entry in [0, 4, -1] {
        assert_eq!(
            life.tries(NOON, "CorrectEntry", strike(entry)),
            Err(Rejection::UnknownEntry)
        );
    }
    for entry in [1, 3] {
        assert_eq!(
            life.tries(NOON, "CorrectEntry", strike(entry)),
            Err(Rejection::EntryNotCorrectable)
        );
    }
    let unreasoned = by_officer(json!({ "entry": 2 }));
    assert_eq!(
        life.tries(NOON, "CorrectEntry", unreasoned),
        Err(Rejection::ReasonRequired)
    );
    let mut by_resident = strike(2);
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(
        life.tries(NOON, "CorrectEntry", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    life.does(NOON, "CorrectEntry", strike(2));
    assert_eq!(
        life.tries(NOON, "CorrectEntry", strike(2)),
        Err(Rejection::EntryStruckAlready)
    );
    assert_eq!(
        life.tries(NOON, "CorrectEntry", strike(4)),
        Err(Rejection::EntryNotCorrectable)
    );
    life.does(NOON, "CloseRequest", close());
    life.facts.authority = Some(authority("j.okafor", &["pest-control"]));
    assert_eq!(
        life.tries(NOON, "CorrectEntry", strike(5)),
        Err(Rejection::CorrectingNotAuthorised)
    );
}

fn change_to(code: &str, answers: Value) -> Value {
    by_officer(json!({ "request_type": code, "answers": answers, "reason": "They ask about the river." }))
}

#[test]
fn a_request_taken_down_as_the_wrong_type_keeps_its_day() {
    let mut life = life("foi");
    let submit = json!({ "request_type": "foi", "customer_id": CUSTOMER, "answers": { "wanted": "the river" } });
    life.does("2026-04-13T09:00:00Z", "SubmitRequest", submit);
    let change = |answers: Value| change_to("eir", answers);
    assert_eq!(
        life.tries("2026-04-20T09:00:00Z", "ChangeType", change(json!({}))),
        Err(Rejection::UnknownRequestType)
    );
    life.facts.other_type = Some(request_type("eir"));
    assert!(matches!(
        life.tries("2026-04-20T09:00:00Z", "ChangeType", change(json!({}))),
        Err(Rejection::InvalidAnswers { .. })
    ));
    let events = life.does(
        "2026-04-20T09:00:00Z",
        "ChangeType",
        change(json!({ "wanted": "the river" })),
    );
    assert_eq!(events[0].name(), "TypeChanged");
    assert_eq!(life.clocks(), "eir 2026-05-12");
    // Its own rules are those of the right type from now on.
    let extend = by_officer(json!({ "ground": "complexity", "explanation": "There is a lot of it." }));
    life.does("2026-05-01T09:00:00Z", "ExtendTime", extend);
    assert_eq!(life.clocks(), "eir 2026-06-10");
    let again = change_to("eir", json!({ "wanted": "the river" }));
    assert!(life.does("2026-05-02T09:00:00Z", "ChangeType", again).is_empty());
}

#[test]
fn a_type_of_another_service_is_another_case() {
    let mut life = case();
    life.facts.other_type = Some(request_type("foi"));
    let change = change_to("foi", json!({ "wanted": "the river" }));
    assert_eq!(
        life.tries(NOON, "ChangeType", change),
        Err(Rejection::TypeOfAnotherService)
    );
}

#[test]
fn a_case_is_moved_to_whose_it_is() {
    let mut life = case();
    let to = |id: &str| by_officer(json!({ "customer_id": id, "reason": "Her neighbour's." }));
    let right = "90f9aa8f-c795-5f76-a4d7-68c0ad433bc9";
    life.does(NOON, "MoveToCustomer", to(right));
    assert_eq!(life.case().customer_id().unwrap().to_string(), right);
    assert!(life.does(NOON, "MoveToCustomer", to(right)).is_empty());
    let mut unreasoned = to(CUSTOMER);
    unreasoned.as_object_mut().unwrap().remove("reason");
    assert_eq!(
        life.tries(NOON, "MoveToCustomer", unreasoned),
        Err(Rejection::ReasonRequired)
    );
}

#[test]
fn whoever_noted_something_may_strike_it_out_and_only_who_may_decide_a_decision() {
    let mut life = case();
    life.does("2026-05-19T09:00:00Z", "AddNote", by_officer(json!({ "note": "rang" })));
    life.does("2026-05-19T10:00:00Z", "CloseRequest", close());
    life.facts.authority = Some(authority("j.okafor", &["pest-office"]));
    assert_eq!(
        life.tries(NOON, "CorrectEntry", strike(3)),
        Err(Rejection::CorrectingNotAuthorised)
    );
    assert_eq!(life.does(NOON, "CorrectEntry", strike(2)).len(), 1);
    assert_eq!(life.case().status(), Some(CaseStatus::Closed));
}

#[test]
fn a_reopening_that_is_struck_out_leaves_the_clocks_as_they_had_ended() {
    let mut life = case();
    let clock = |life: &Life| life.case().clocks().next().unwrap().1.clone();
    life.does("2026-05-29T09:00:00Z", "CloseRequest", close());
    let late = clock(&life);
    assert_eq!(domain::in_time(&late), Some(false));
    life.does(
        "2026-05-30T09:00:00Z",
        "ReopenRequest",
        json!({ "reason": "still there" }),
    );
    life.does("2026-05-30T10:00:00Z", "CorrectEntry", strike(3));
    assert_eq!(clock(&life), late, "late it was, and late it stays");
}

#[test]
fn what_took_the_place_of_something_is_put_right_and_not_struck_out() {
    let mut life = case();
    let ask = by_officer(json!({ "wanted": "clarification", "question": "Which bin?" }));
    life.does("2026-05-19T09:00:00Z", "AskForInformation", ask);
    let answer = json!({ "wanted": "clarification", "answers": { "bin_type": "recycling" } });
    life.does("2026-05-19T10:00:00Z", "ProvideInformation", answer);
    assert_eq!(
        life.tries(NOON, "CorrectEntry", strike(3)),
        Err(Rejection::EntryNotCorrectable)
    );
}

#[test]
fn a_contact_is_struck_out_as_what_it_was() {
    let mut life = case();
    let contact = by_officer(json!({ "direction": "incoming", "summary": "rang" }));
    life.does("2026-05-19T09:00:00Z", "RecordContact", contact);
    let events = life.does(NOON, "CorrectEntry", strike(2));
    let CaseEvent::EntryCorrected(corrected) = &events[0] else {
        panic!("a correction")
    };
    assert_eq!(corrected.entry_event, "ContactRecorded");
}

#[test]
fn a_decision_falls_with_its_type_by_somebody_who_may_decide() {
    let mut life = life("foi");
    let submit = json!({ "request_type": "foi", "customer_id": CUSTOMER, "answers": { "wanted": "the river" } });
    life.does("2026-04-13T09:00:00Z", "SubmitRequest", submit);
    let decision = by_officer(json!({ "outcome": "all-given", "reasons": "here", "rule": "foia-2000:1" }));
    life.does("2026-04-14T09:00:00Z", "RecordDecision", decision);
    life.facts.other_type = Some(request_type("eir"));
    life.facts.authority = Some(authority("j.okafor", &["pest-office"]));
    let change = || change_to("eir", json!({ "wanted": "the river" }));
    assert_eq!(
        life.tries("2026-04-15T09:00:00Z", "ChangeType", change()),
        Err(Rejection::CorrectingNotAuthorised)
    );
    life.facts.authority = Some(authority("t.banerjee", &["information-governance"]));
    let mut by_another = change();
    by_another["actor"]["id"] = json!("t.banerjee");
    life.does("2026-04-15T09:00:00Z", "ChangeType", by_another);
}
