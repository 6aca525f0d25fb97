//! The clocks that a case carries.

use catalogue::calendar::BankHolidays;
use catalogue::clocks::ClockPolicies;
use domain::clock::{CaseClock, ClockRules, of_case};
use schemas::command::InformationWanted;
use schemas::event::{CaseEvent, InformationAskedFor, InformationProvided};
use schemas::moment::Instant;

use crate::fixtures::*;

fn clocks(code: &str, events: &[(CaseEvent, Instant)]) -> Vec<CaseClock> {
    let (policies, holidays) = (ClockPolicies::built_in().unwrap(), BankHolidays::built_in().unwrap());
    let rules = ClockRules {
        policies: &policies,
        holidays: &holidays,
    };
    of_case(
        rules,
        &request_type(code),
        events.iter().map(|(event, at)| (event, *at)),
    )
    .unwrap()
}

fn received(on: &str) -> CaseEvent {
    let CaseEvent::RequestSubmitted(mut submitted) = submitted() else {
        panic!("a submission");
    };
    submitted.received_on = on.parse().unwrap();
    submitted.into()
}

fn asked(wanted: InformationWanted, on: &str) -> CaseEvent {
    InformationAskedFor {
        wanted,
        question: sealed(),
        asked_on: on.parse().unwrap(),
        answer_by: None,
        reason: None,
    }
    .into()
}

fn provided(wanted: InformationWanted, on: &str) -> CaseEvent {
    InformationProvided {
        wanted,
        answer: Some(sealed()),
        answers: Default::default(),
        received_on: on.parse().unwrap(),
        reason: None,
    }
    .into()
}

#[test]
fn a_request_for_information_waits_with_its_question_and_begins_again_with_the_answer() {
    let wanted = InformationWanted::Clarification;
    let mut events = vec![(received("2026-10-05"), at("2026-10-07T09:00:00Z"))];
    let due = |events: &[(CaseEvent, Instant)]| {
        let clocks = clocks("foi", events);
        let all: Vec<String> = clocks
            .iter()
            .map(|clock| format!("{} {}", clock.clock, clock.answer.due))
            .collect();
        all.join(", ")
    };
    assert_eq!(
        due(&events),
        "foi 2026-11-02",
        "from its receipt, not from its recording"
    );
    events.push((asked(wanted, "2026-10-12"), at("2026-10-12T09:00:00Z")));
    assert_eq!(due(&events), "foi SUSPENDED");
    // The answer came by letter, and was recorded a day later.
    events.push((provided(wanted, "2026-10-20"), at("2026-10-21T09:00:00Z")));
    assert_eq!(due(&events), "foi 2026-11-17");
    // Who they are is nothing to this clock.
    events.push((
        asked(InformationWanted::Identity, "2026-10-22"),
        at("2026-10-22T09:00:00Z"),
    ));
    assert_eq!(due(&events), "foi 2026-11-17");
}

#[test]
fn identity_moves_the_beginning_of_subject_access() {
    let wanted = InformationWanted::Identity;
    let events = [
        (received("2026-07-15"), at("2026-07-15T09:00:00Z")),
        (asked(wanted, "2026-07-16"), at("2026-07-16T09:00:00Z")),
        (provided(wanted, "2026-07-28"), at("2026-07-28T09:00:00Z")),
    ];
    assert_eq!(
        clocks("subject-access", &events[..2])[0].answer.due.to_string(),
        "SUSPENDED"
    );
    assert_eq!(
        clocks("subject-access", &events)[0].answer.due.to_string(),
        "2026-08-28"
    );
}

#[test]
fn a_clock_ends_with_the_case_and_runs_anew_when_it_is_reopened() {
    let mut events = vec![(received("2026-05-01"), at("2026-05-01T09:00:00Z"))];
    let target = |events: &[(CaseEvent, Instant)]| {
        let clocks = clocks("missed-bin", events);
        assert_eq!(clocks.len(), 1);
        assert!(clocks[0].is_target);
        let clock = clocks.into_iter().next().unwrap();
        (clock.answer.due.to_string(), clock.in_time())
    };
    assert_eq!(target(&events), ("2026-05-06".to_owned(), None));
    events.push((closed(), at("2026-05-06T22:59:59Z")));
    assert_eq!(target(&events), ("2026-05-06".to_owned(), Some(true)));
    // A minute later it is the next day in London.
    events[1].1 = at("2026-05-06T23:00:00Z");
    assert_eq!(target(&events), ("2026-05-06".to_owned(), Some(false)));
    // The reopened case was received on 20 May.
    events.push((reopened(), at("2026-05-20T12:00:00Z")));
    assert_eq!(target(&events), ("2026-05-22".to_owned(), None));
}

#[test]
fn a_target_is_that_of_the_day_it_was_received_on() {
    let early = [(received("2026-03-31"), at("2026-03-31T09:00:00Z"))];
    assert!(clocks("missed-bin", &early).is_empty(), "no target was set yet");
}

#[test]
fn a_target_in_hours_runs_from_the_instant() {
    let events = [(received("2026-05-01"), at("2026-05-01T09:30:00Z"))];
    let drain = clocks("drain", &events);
    let at_risk = drain.iter().find(|clock| clock.clock == "at_risk").unwrap();
    assert_eq!(at_risk.answer.due.to_string(), "2026-05-02T09:30:00Z");
}
