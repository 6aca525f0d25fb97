//! The clocks that a case carries.

use domain::Rejection;
use serde_json::{Value, json};

use crate::fixtures::*;

/// A request of this type, received on a day and recorded that morning.
pub fn received(code: &str, on: &str, answers: Value) -> Life {
    let mut life = life(code);
    let mut submit = json!({ "request_type": code, "answers": answers, "customer_id": CUSTOMER });
    submit["received_on"] = json!(on);
    life.does(&format!("{on}T08:00:00Z"), "SubmitRequest", submit);
    life
}

pub fn foi(on: &str) -> Life {
    received("foi", on, json!({ "wanted": "the contract" }))
}

pub fn by_system(mut data: Value) -> Value {
    data["actor"] = json!({ "kind": "system", "id": "timekeeper" });
    data["channel"] = json!("system");
    data
}

pub fn ask(wanted: &str, received_on: &str) -> Value {
    by_officer(json!({ "wanted": wanted, "question": "Which?", "received_on": received_on }))
}

pub fn answer(wanted: &str, received_on: &str) -> Value {
    by_officer(json!({ "wanted": wanted, "answer": "This.", "received_on": received_on, "channel": "letter" }))
}

#[test]
fn a_request_for_information_waits_with_its_question_and_begins_again_with_the_answer() {
    let mut life = foi("2026-10-05");
    assert_eq!(life.clocks(), "foi 2026-11-02");
    life.does(
        "2026-10-12T09:00:00Z",
        "AskForInformation",
        ask("clarification", "2026-10-12"),
    );
    assert_eq!(life.clocks(), "foi SUSPENDED");
    // The answer came by letter, and was recorded a day later.
    life.does(
        "2026-10-21T09:00:00Z",
        "ProvideInformation",
        answer("clarification", "2026-10-20"),
    );
    assert_eq!(life.clocks(), "foi 2026-11-17");
    // Who they are is nothing to this clock.
    life.does(
        "2026-10-22T09:00:00Z",
        "AskForInformation",
        ask("identity", "2026-10-22"),
    );
    assert_eq!(life.clocks(), "foi 2026-11-17");
}

#[test]
fn a_fee_is_waited_for_and_only_the_council_says_that_it_was_paid() {
    let mut life = foi("2026-10-05");
    life.does("2026-10-14T09:00:00Z", "AskForInformation", ask("fee", "2026-10-14"));
    assert_eq!(life.clocks(), "foi SUSPENDED");
    let by_resident = json!({ "wanted": "fee", "answer": "I paid" });
    assert_eq!(
        life.tries("2026-10-16T09:00:00Z", "ProvideInformation", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    life.does(
        "2026-10-16T09:00:00Z",
        "ProvideInformation",
        by_officer(json!({ "wanted": "fee" })),
    );
    assert_eq!(life.clocks(), "foi 2026-11-05");
}

#[test]
fn identity_moves_the_beginning_of_subject_access() {
    let mut life = received("subject-access", "2026-07-15", json!({ "scope": "all of it" }));
    life.does(
        "2026-07-16T09:00:00Z",
        "AskForInformation",
        ask("identity", "2026-07-16"),
    );
    assert_eq!(life.clocks(), "sar SUSPENDED");
    life.does(
        "2026-07-28T09:00:00Z",
        "ProvideInformation",
        answer("identity", "2026-07-28"),
    );
    assert_eq!(life.clocks(), "sar 2026-08-28");
}

#[test]
fn nothing_happens_before_the_request_came() {
    let mut life = foi("2026-10-05");
    for (name, data) in [
        ("AskForInformation", ask("clarification", "2026-10-04")),
        ("AcknowledgeRequest", by_officer(json!({ "received_on": "2026-10-04" }))),
        (
            "ExtendTime",
            by_officer(json!({ "ground": "public_interest", "explanation": "e", "received_on": "2026-10-04" })),
        ),
    ] {
        assert_eq!(
            life.tries("2026-10-12T09:00:00Z", name, data),
            Err(Rejection::BeforeTheReceipt),
            "{name}"
        );
    }
}

#[test]
fn a_complaint_is_answered_from_the_day_it_was_acknowledged() {
    let mut life = complaint();
    assert_eq!(life.clocks(), "complaint_s1 2026-10-26, complaint_s1_ack 2026-10-12");
    life.does("2026-10-08T09:00:00Z", "AcknowledgeRequest", by_officer(json!({})));
    assert_eq!(life.clocks(), "complaint_s1 2026-10-22");
    let ended = life
        .case()
        .clocks()
        .find(|(name, _)| name.as_str() == "complaint_s1_ack")
        .unwrap()
        .1;
    assert_eq!(domain::in_time(ended), Some(true));
    // Once is enough.
    assert!(
        life.does("2026-10-09T09:00:00Z", "AcknowledgeRequest", by_officer(json!({})))
            .is_empty()
    );
    life.does("2026-10-20T09:00:00Z", "ExtendTime", more_days(json!(10)));
    assert_eq!(life.clocks(), "complaint_s1 2026-11-05");
}

pub fn complaint() -> Life {
    received(
        "complaint-stage-1",
        "2026-10-05",
        json!({ "about": "waste", "what_went_wrong": "late again" }),
    )
}

fn more_days(days: Value) -> Value {
    by_officer(json!({ "ground": "more_working_days", "working_days": days, "explanation": "The crew is on leave." }))
}

#[test]
fn time_is_taken_only_where_the_law_gives_it_and_in_time() {
    let pit = || by_officer(json!({ "ground": "public_interest", "explanation": "We still weigh it." }));
    let mut life = foi("2026-10-05");
    let complexity = by_officer(json!({ "ground": "complexity", "explanation": "e" }));
    assert_eq!(
        life.tries("2026-10-30T09:00:00Z", "ExtendTime", complexity),
        Err(Rejection::ExtensionNotForThisType)
    );
    life.does("2026-10-30T09:00:00Z", "ExtendTime", pit());
    assert_eq!(life.clocks(), "foi 2026-12-01");
    assert_eq!(
        life.tries("2026-10-31T09:00:00Z", "ExtendTime", pit()),
        Err(Rejection::ExtensionWithoutEffect),
        "taken already"
    );
    let mut late = foi("2026-10-05");
    assert_eq!(
        late.tries("2026-11-03T09:00:00Z", "ExtendTime", pit()),
        Err(Rejection::ExtensionWithoutEffect),
        "told too late"
    );
    let mut complaint = complaint();
    for days in [Value::Null, json!(0)] {
        assert_eq!(
            complaint.tries("2026-10-09T09:00:00Z", "ExtendTime", more_days(days)),
            Err(Rejection::ExtensionDays)
        );
    }
    let mut by_resident = pit();
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(
        late.tries("2026-11-03T09:00:00Z", "ExtendTime", by_resident),
        Err(Rejection::OfficerRequired)
    );
}

#[test]
fn a_clock_ends_with_the_case_and_runs_anew_when_it_is_reopened() {
    let close = || by_officer(json!({ "outcome": "not-presented", "reasons": "none was out" }));
    let in_time = |life: &Life| domain::in_time(life.case().clocks().next().unwrap().1);
    for (closed_at, expected) in [("2026-05-06T22:59:59Z", true), ("2026-05-06T23:00:00Z", false)] {
        let mut life = received("missed-bin", "2026-05-01", json!({ "bin_type": "refuse" }));
        assert_eq!(life.clocks(), "collection 2026-05-06");
        assert_eq!(in_time(&life), None);
        // A minute later it is the next day in London.
        life.does(closed_at, "CloseRequest", close());
        assert_eq!(life.clocks(), "");
        assert_eq!(in_time(&life), Some(expected));
        life.does(
            "2026-05-20T12:00:00Z",
            "ReopenRequest",
            json!({ "reason": "still there" }),
        );
        assert_eq!(life.clocks(), "collection 2026-05-22");
        assert_eq!(in_time(&life), None);
    }
}

#[test]
fn a_target_is_that_of_the_day_it_was_received_on() {
    let early = received("missed-bin", "2026-03-31", json!({ "bin_type": "refuse" }));
    assert_eq!(early.clocks(), "", "no target was set yet");
}

#[test]
fn a_target_in_hours_runs_from_the_instant() {
    let life = received("drain", "2026-05-01", json!({ "property_at_risk": true }));
    assert_eq!(life.clocks(), "at_risk 2026-05-02T08:00:00Z, clearing 2026-05-18");
    // What depends on an answer runs only with it.
    for answers in [json!({}), json!({ "property_at_risk": false })] {
        assert_eq!(received("drain", "2026-05-01", answers).clocks(), "clearing 2026-05-18");
    }
}

#[test]
fn a_request_is_taken_though_the_bank_holidays_of_its_time_are_unknown() {
    assert_eq!(foi("2029-02-05").clocks(), "foi UNKNOWN");
}

#[test]
fn somebody_else_s_day_is_a_clock_where_the_catalogue_says_so() {
    let answers = json!({ "ombudsman_reference": "24 001 234", "answer_by": "2026-11-02" });
    let mut life = received("ombudsman-enquiry", "2026-10-05", answers);
    let set = |day: &str| by_officer(json!({ "due_on": day }));
    life.does("2026-10-06T09:00:00Z", "SetDeadline", set("2026-11-02"));
    assert_eq!(life.clocks(), "set_day 2026-11-02");
    assert!(
        life.does("2026-10-06T09:00:00Z", "SetDeadline", set("2026-11-02"))
            .is_empty()
    );
    life.does("2026-10-20T09:00:00Z", "SetDeadline", set("2026-11-16"));
    assert_eq!(life.clocks(), "set_day 2026-11-16");
    assert_eq!(
        life.tries("2026-10-21T09:00:00Z", "SetDeadline", set("2026-10-04")),
        Err(Rejection::DeadlineBeforeTheReceipt)
    );
    let mut by_resident = set("2026-11-30");
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(
        life.tries("2026-10-21T09:00:00Z", "SetDeadline", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    // A wrong day is struck out: the one before holds again.
    life.does(
        "2026-10-22T09:00:00Z",
        "CorrectEntry",
        by_officer(json!({ "entry": 3, "reason": "misread" })),
    );
    assert_eq!(life.clocks(), "set_day 2026-11-02");
    assert_eq!(
        foi("2026-10-05").tries("2026-10-06T09:00:00Z", "SetDeadline", set("2026-11-02")),
        Err(Rejection::NobodySetsTheDay)
    );
}

#[test]
fn a_target_that_ends_with_the_acknowledgement_does_and_one_of_the_law_is_a_duty() {
    let answers = json!({ "what_went_wrong": "Nobody came on Sunday." });
    let mut life = received("adult-social-care-complaint", "2026-10-05", answers);
    assert_eq!(life.clocks(), "acknowledge 2026-10-08");
    let clock = life.case().clocks().next().unwrap().1.clone();
    assert!(!clock.target, "the law sets it");
    let explained = life.case().explain(
        &CLOCK_FILES,
        &request_type("adult-social-care-complaint"),
        &"acknowledge".parse().unwrap(),
    );
    assert!(explained.unwrap().explanation[0].contains("SI 2009/309"));
    life.does("2026-10-08T09:00:00Z", "AcknowledgeRequest", by_officer(json!({})));
    assert_eq!(life.clocks(), "");
    assert_eq!(domain::in_time(life.case().clocks().next().unwrap().1), Some(true));
    // The answer is due by the day agreed with them.
    life.does(
        "2026-10-08T09:05:00Z",
        "SetDeadline",
        by_officer(json!({ "due_on": "2026-12-18" })),
    );
    assert_eq!(life.clocks(), "set_day 2026-12-18");
}

#[test]
fn to_acknowledge_what_has_no_such_clock_moves_none() {
    let mut life = foi("2026-10-05");
    life.does("2026-10-06T09:00:00Z", "AcknowledgeRequest", by_officer(json!({})));
    assert_eq!(life.clocks(), "foi 2026-11-02");
}
