//! The clocks that a case carries.

use std::sync::Arc;

use catalogue::calendar::BankHolidays;
use catalogue::clocks::ClockFiles;
use domain::Rejection;
use schemas::event::CaseEvent;
use serde_json::{Value, json};

use crate::fixtures::*;

/// A request of this type, received on a day and recorded that morning.
fn received(code: &str, on: &str, answers: Value) -> Life {
    let mut life = life(code);
    let mut submit = json!({ "request_type": code, "answers": answers, "customer_id": CUSTOMER });
    submit["received_on"] = json!(on);
    life.does(&format!("{on}T08:00:00Z"), "SubmitRequest", submit);
    life
}

fn foi(on: &str) -> Life {
    received("foi", on, json!({ "wanted": "the contract" }))
}

fn by_system(mut data: Value) -> Value {
    data["actor"] = json!({ "kind": "system", "id": "timekeeper" });
    data["channel"] = json!("system");
    data
}

fn ask(wanted: &str, received_on: &str) -> Value {
    by_officer(json!({ "wanted": wanted, "question": "Which?", "received_on": received_on }))
}

fn answer(wanted: &str, received_on: &str) -> Value {
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

fn complaint() -> Life {
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
    let life = received("drain", "2026-05-01", json!({}));
    assert!(
        life.clocks().contains("at_risk 2026-05-02T08:00:00Z"),
        "{}",
        life.clocks()
    );
}

#[test]
fn a_request_is_taken_though_the_bank_holidays_of_its_time_are_unknown() {
    assert_eq!(foi("2029-02-05").clocks(), "foi UNKNOWN");
}

fn mark(mark: &str, due: &str) -> Value {
    by_system(json!({ "clock": "foi", "due": due, "mark": mark }))
}

fn names(events: &[CaseEvent]) -> Vec<&'static str> {
    events.iter().map(CaseEvent::name).collect()
}

#[test]
fn near_and_overdue_are_said_once_of_each_day() {
    let mut life = foi("2026-10-05");
    let near = || mark("approaching", "2026-11-02");
    assert_eq!(
        life.tries("2026-10-25T23:59:59Z", "RecordClock", near()),
        Err(Rejection::NotYet)
    );
    assert_eq!(
        names(&life.does("2026-10-26T00:00:00Z", "RecordClock", near())),
        ["ClockApproaching"]
    );
    assert!(life.does("2026-10-27T00:00:00Z", "RecordClock", near()).is_empty());
    let over = || mark("overdue", "2026-11-02");
    assert_eq!(
        life.tries("2026-11-02T23:59:59Z", "RecordClock", over()),
        Err(Rejection::NotYet)
    );
    // An answer moves the day: what was to be said of the former is not.
    life.does(
        "2026-11-02T10:00:00Z",
        "AskForInformation",
        ask("clarification", "2026-11-02"),
    );
    assert!(life.does("2026-11-03T00:00:00Z", "RecordClock", over()).is_empty());
    life.does(
        "2026-11-04T10:00:00Z",
        "ProvideInformation",
        answer("clarification", "2026-11-04"),
    );
    assert_eq!(life.clocks(), "foi 2026-12-03");
    assert_eq!(
        names(&life.does("2026-12-04T00:00:00Z", "RecordClock", mark("overdue", "2026-12-03"))),
        ["ClockOverdue"]
    );
    assert!(
        life.does("2026-12-04T00:00:01Z", "RecordClock", mark("overdue", "2026-12-03"))
            .is_empty()
    );
    // Overdue already, near is no news.
    assert!(
        life.does("2026-12-04T00:00:02Z", "RecordClock", mark("approaching", "2026-12-03"))
            .is_empty()
    );
}

#[test]
fn nothing_is_said_of_a_closed_case_and_only_the_council_s_system_says_it() {
    let mut life = foi("2026-10-05");
    let mut by_an_officer = mark("overdue", "2026-11-02");
    by_an_officer["actor"] = json!({ "kind": "officer", "id": "j.okafor" });
    assert_eq!(
        life.tries("2026-11-03T09:00:00Z", "RecordClock", by_an_officer),
        Err(Rejection::ActorNotAllowed)
    );
    life.does(
        "2026-11-02T09:00:00Z",
        "CloseRequest",
        by_officer(json!({ "outcome": "all-given", "reasons": "here it is" })),
    );
    assert!(
        life.does("2026-11-03T09:00:00Z", "RecordClock", mark("overdue", "2026-11-02"))
            .is_empty()
    );
}

/// The built-in files, with one holiday more, or one fewer, in England and Wales.
fn with_holidays(change: impl FnOnce(&mut Value)) -> Arc<ClockFiles> {
    let mut holidays: Value =
        serde_json::from_str(include_str!("../../../catalogue/calendar/bank-holidays.json")).unwrap();
    change(&mut holidays["england-and-wales"]["events"]);
    Arc::new(ClockFiles {
        holidays: BankHolidays::parse(&holidays.to_string()).unwrap(),
        ..(**CLOCK_FILES).clone()
    })
}

#[test]
fn a_new_bank_holiday_moves_a_running_clock_and_none_comes_sooner() {
    let mut life = foi("2026-10-05");
    let recompute = || by_system(json!({}));
    assert!(
        life.does("2026-10-06T09:00:00Z", "RecomputeClocks", recompute())
            .is_empty(),
        "nothing has changed"
    );
    life.facts.clock_files = Some(with_holidays(|events| {
        events
            .as_array_mut()
            .unwrap()
            .push(json!({ "title": "Proclaimed", "date": "2026-10-20", "notes": "", "bunting": true }));
    }));
    let events = life.does("2026-10-07T09:00:00Z", "RecomputeClocks", recompute());
    assert_eq!(names(&events), ["ClocksRecomputed"]);
    assert_eq!(life.clocks(), "foi 2026-11-03");
    // It was called off. The day that was told stays.
    life.facts.clock_files = Some(Arc::clone(&CLOCK_FILES));
    assert!(
        life.does("2026-10-08T09:00:00Z", "RecomputeClocks", recompute())
            .is_empty()
    );
    assert_eq!(life.clocks(), "foi 2026-11-03");
}

#[test]
fn a_remedy_is_due_after_the_complaint_is_closed() {
    let mut life = complaint();
    let agree = || by_officer(json!({ "remedy": "We apologise and pay £50.", "due_on": "2026-11-20" }));
    life.does(
        "2026-10-16T09:00:00Z",
        "CloseRequest",
        by_officer(json!({ "outcome": "upheld", "reasons": "we were late" })),
    );
    life.does("2026-10-16T09:01:00Z", "AgreeRemedy", agree());
    assert_eq!(life.clocks(), "remedy_1 2026-11-20");
    let overdue = by_system(json!({ "clock": "remedy_1", "due": "2026-11-20", "mark": "overdue" }));
    assert_eq!(
        names(&life.does("2026-11-21T09:00:00Z", "RecordClock", overdue)),
        ["ClockOverdue"]
    );
    let done = || by_officer(json!({ "remedy": 1 }));
    life.does("2026-11-22T09:00:00Z", "RecordRemedyDone", done());
    assert_eq!(life.clocks(), "");
    let (_, clock) = life
        .case()
        .clocks()
        .find(|(name, _)| name.as_str() == "remedy_1")
        .unwrap();
    assert_eq!(domain::in_time(clock), Some(false));
    assert!(life.does("2026-11-23T09:00:00Z", "RecordRemedyDone", done()).is_empty());
    let other = by_officer(json!({ "remedy": 2 }));
    assert_eq!(
        life.tries("2026-11-23T09:00:00Z", "RecordRemedyDone", other),
        Err(Rejection::UnknownRemedy)
    );
    assert_eq!(
        life.tries("2026-11-23T09:00:00Z", "AgreeRemedy", agree()),
        Err(Rejection::RemedyDuePast)
    );
    assert_eq!(
        foi("2026-10-05").tries("2026-10-06T09:00:00Z", "AgreeRemedy", agree()),
        Err(Rejection::RemedyNotForThisType)
    );
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
fn what_is_the_same_day_is_in_time() {
    // Asked on the very day of receipt; in time to the very instant.
    let mut life = foi("2026-10-05");
    life.does(
        "2026-10-05T09:00:00Z",
        "AskForInformation",
        ask("clarification", "2026-10-05"),
    );
    let close = |outcome: &str| by_officer(json!({ "outcome": outcome, "reasons": "done" }));
    for (closed_at, expected) in [("2026-05-02T08:00:00Z", true), ("2026-05-02T08:00:00.000001Z", false)] {
        let mut drain = received("drain", "2026-05-01", json!({}));
        let clock = |drain: &Life| {
            drain
                .case()
                .clocks()
                .find(|(name, _)| name.as_str() == "at_risk")
                .unwrap()
                .1
                .clone()
        };
        let overdue = by_system(json!({ "clock": "at_risk", "due": "2026-05-02T08:00:00Z", "mark": "overdue" }));
        let said = drain.tries(closed_at, "RecordClock", overdue);
        assert_eq!(said.is_err(), expected, "not yet, to the very instant");
        drain.does(closed_at, "CloseRequest", close("cleared"));
        assert_eq!(domain::in_time(&clock(&drain)), Some(expected));
    }
}

#[test]
fn what_was_said_of_a_day_stays_said_while_other_clocks_move() {
    let mut life = complaint();
    let overdue = by_system(json!({ "clock": "complaint_s1", "due": "2026-10-26", "mark": "overdue" }));
    life.does("2026-10-27T09:00:00Z", "RecordClock", overdue.clone());
    let remedy = by_officer(json!({ "remedy": "We apologise.", "due_on": "2026-12-01" }));
    life.does("2026-10-27T10:00:00Z", "AgreeRemedy", remedy);
    assert!(life.does("2026-10-27T11:00:00Z", "RecordClock", overdue).is_empty());
    // The remedy's clock runs on when the case is closed; its own does not.
    let close = by_officer(json!({ "outcome": "upheld", "reasons": "We were late." }));
    life.does("2026-10-28T09:00:00Z", "CloseRequest", close);
    assert_eq!(life.clocks(), "remedy_1 2026-12-01");
    let ended = life
        .case()
        .clocks()
        .find(|(name, _)| name.as_str() == "complaint_s1")
        .unwrap()
        .1
        .ended_at;
    life.does(
        "2026-11-05T09:00:00Z",
        "RecordRemedyDone",
        by_officer(json!({ "remedy": 1 })),
    );
    let after = life
        .case()
        .clocks()
        .find(|(name, _)| name.as_str() == "complaint_s1")
        .unwrap()
        .1
        .ended_at;
    assert_eq!(ended, after, "what has ended ends once");
}

#[test]
fn a_system_acknowledges_too_and_a_short_target_is_near_the_day_before() {
    let mut life = complaint();
    life.does("2026-10-06T09:00:00Z", "AcknowledgeRequest", by_system(json!({})));
    assert_eq!(life.clocks(), "complaint_s1 2026-10-20");
    let near = |life: &Life, name: &str| {
        let clock = life
            .case()
            .clocks()
            .find(|(clock, _)| clock.as_str() == name)
            .unwrap()
            .1;
        clock.near_on.map(|day| day.to_string())
    };
    assert_eq!(near(&life, "complaint_s1").as_deref(), Some("2026-10-19"));
    assert_eq!(near(&foi("2026-10-05"), "foi").as_deref(), Some("2026-10-26"));
    // Due on the second working day: near on the first.
    let bin = |on: &str| received("missed-bin", on, json!({ "bin_type": "refuse" }));
    assert_eq!(near(&bin("2026-05-19"), "collection").as_deref(), Some("2026-05-20"));
}

#[test]
fn to_acknowledge_what_has_no_such_clock_moves_none() {
    let mut life = foi("2026-10-05");
    life.does("2026-10-06T09:00:00Z", "AcknowledgeRequest", by_officer(json!({})));
    assert_eq!(life.clocks(), "foi 2026-11-02");
}

#[test]
fn a_remedy_can_be_due_today() {
    let mut life = complaint();
    let today = by_officer(json!({ "remedy": "We apologise.", "due_on": "2026-10-06" }));
    life.does("2026-10-06T09:00:00Z", "AgreeRemedy", today);
    assert!(life.clocks().contains("remedy_1 2026-10-06"));
}
