//! What time brings to a case, and what a new calendar does.

use std::sync::Arc;

use catalogue::calendar::BankHolidays;
use catalogue::clocks::ClockFiles;
use domain::Rejection;
use schemas::event::CaseEvent;
use serde_json::{Value, json};

use crate::clocks_of_a_case::{answer, ask, by_system, complaint, foi, received};
use crate::fixtures::*;

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
    // Nor does an event that has nothing to do with it bring it forward.
    life.does("2026-10-09T09:00:00Z", "AcknowledgeRequest", by_officer(json!({})));
    assert_eq!(life.clocks(), "foi 2026-11-03");
    // One that moves it is worked out with what is known by then.
    life.does(
        "2026-10-12T09:00:00Z",
        "AskForInformation",
        ask("clarification", "2026-10-12"),
    );
    life.does(
        "2026-10-20T09:00:00Z",
        "ProvideInformation",
        answer("clarification", "2026-10-20"),
    );
    assert_eq!(life.clocks(), "foi 2026-11-17");
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
        let mut drain = received("drain", "2026-05-01", json!({ "property_at_risk": true }));
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
fn a_remedy_can_be_due_today() {
    let mut life = complaint();
    let today = by_officer(json!({ "remedy": "We apologise.", "due_on": "2026-10-06" }));
    life.does("2026-10-06T09:00:00Z", "AgreeRemedy", today);
    assert!(life.clocks().contains("remedy_1 2026-10-06"));
}

#[test]
fn what_was_done_in_time_and_recorded_late_was_in_time() {
    let mut life = complaint();
    let told = by_officer(json!({ "received_on": "2026-10-08", "channel": "letter" }));
    life.does("2026-10-14T09:00:00Z", "AcknowledgeRequest", told);
    let in_time = |life: &Life, name: &str| {
        let clock = life.case().clocks().find(|(clock, _)| clock.as_str() == name);
        domain::in_time(clock.unwrap().1)
    };
    assert_eq!(in_time(&life, "complaint_s1_ack"), Some(true));
    let remedy = by_officer(json!({ "remedy": "We apologise.", "due_on": "2026-10-20" }));
    life.does("2026-10-14T10:00:00Z", "AgreeRemedy", remedy);
    let done = by_officer(json!({ "remedy": 1, "received_on": "2026-10-19" }));
    life.does("2026-10-26T09:00:00Z", "RecordRemedyDone", done);
    assert_eq!(in_time(&life, "remedy_1"), Some(true));
}
