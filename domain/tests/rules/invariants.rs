//! What holds after any sequence of commands.

use domain::{AggregateState, Case, decide};
use proptest::prelude::*;
use schemas::command::{AggregateKind, Command};
use schemas::event::{CaseEvent, EventRecord};
use schemas::moment::Instant;
use schemas::query::CaseStatus;
use serde_json::json;

use crate::fixtures::*;

fn any_command() -> impl Strategy<Value = Command> {
    let notification = |about: u8| {
        json!({
            "notice": "request_received", "about_event": format!("00000000-0000-0000-0000-0000000000{about:02}"), "about_position": 1,
            "recipient": "90f9aa8f-c795-5f76-a4d7-68c0ad433bc8", "medium": "email", "delivery": { "result": "no_address" },
            "actor": { "kind": "system", "id": "notifier" }, "channel": "system"
        })
    };
    prop_oneof![
        1 => Just(command("SubmitRequest", json!({ "request_type": "missed-bin", "answers": { "bin_type": "refuse" },
            "customer_id": "90f9aa8f-c795-5f76-a4d7-68c0ad433bc8" }))),
        1 => Just(command("UpdateRequest", json!({ "description": "by the gate" }))),
        1 => Just(command("AssignRequest", by_officer(json!({ "team": "waste-client" })))),
        1 => Just(command("CancelRequest", json!({}))),
        3 => Just(command("CloseRequest", by_officer(json!({ "outcome": "not-presented", "reasons": "no bin" })))),
        3 => Just(command("ReopenRequest", json!({ "reason": "it is still there" }))),
        2 => Just(command("AskForInformation", by_officer(json!({ "wanted": "clarification", "question": "Which gate?" })))),
        2 => Just(command("ProvideInformation", json!({ "wanted": "clarification", "answer": "the back gate" }))),
        1 => Just(command("AddNote", by_officer(json!({ "note": "rang" })))),
        2 => (0_u8..3).prop_map(move |about| command("RecordNotification", notification(about))),
    ]
}

fn case(state: &AggregateState) -> &Case {
    match state {
        AggregateState::Case(case) => case,
        AggregateState::Customer(_) => panic!("a case's stream holds a customer"),
    }
}

proptest! {
    #[test]
    fn whatever_is_sent_the_rules_hold(commands in proptest::collection::vec((any_command(), 0_i64..2_000_000), 1..40)) {
        let mut now = at("2026-01-01T00:00:00Z");
        let mut state: Option<AggregateState> = None;
        let mut log: Vec<(EventRecord, Instant)> = Vec::new();
        for (command, later_s) in commands {
            now = Instant::new(now.get() + time::Duration::seconds(later_s));
            let facts = domain::DecisionContext { now, ..context() };
            let Ok(events) = decide(state.as_ref(), &command, &facts) else { continue };
            for event in events {
                log.push((event.clone(), now));
                state.get_or_insert_with(|| AggregateState::before(&event)).apply(event, now);
            }
            if let Some(state) = &state {
                let case = case(state);
                prop_assert_eq!(case.outcome().is_some(), case.status() == Some(CaseStatus::Closed));
                prop_assert!(case.waiting_for().count() == 0 || case.status() == Some(CaseStatus::Open));
            }
        }
        check_log(&log, state.as_ref())?;
    }
}

fn check_log(log: &[(EventRecord, Instant)], live: Option<&AggregateState>) -> Result<(), TestCaseError> {
    let Some(live) = live else {
        prop_assert!(log.is_empty());
        return Ok(());
    };
    let mut replayed = AggregateState::before(&log[0].0);
    prop_assert_eq!(replayed.kind(), AggregateKind::Case);
    for (event, at) in log {
        replayed.apply(event.clone(), *at);
    }
    prop_assert_eq!(&replayed, live);
    let kept: AggregateState = serde_json::from_value(serde_json::to_value(live).unwrap()).unwrap();
    prop_assert_eq!(&kept, live);

    let names: Vec<&str> = log.iter().map(|(event, _)| event.name()).collect();
    prop_assert_eq!(names.iter().filter(|name| **name == "RequestSubmitted").count(), 1);
    prop_assert_eq!(names[0], "RequestSubmitted");
    let count = |name: &str| names.iter().filter(|known| **known == name).count();
    prop_assert!(
        count("InformationProvided") <= count("InformationAskedFor"),
        "nothing is provided that nobody asked for"
    );
    let reopened = names.iter().filter(|name| **name == "RequestReopened").count();
    prop_assert_eq!(usize::try_from(case(live).times_reopened()).unwrap(), reopened);
    if let Some(cancelled) = names.iter().position(|name| *name == "RequestCancelled") {
        prop_assert!(
            names[cancelled + 1..]
                .iter()
                .all(|name| name.starts_with("Notification") || *name == "NoteAdded")
        );
    }
    let mut told: Vec<_> = log
        .iter()
        .filter_map(|(event, _)| match event {
            EventRecord::Case(CaseEvent::NotificationFailed(event)) => Some(event.about_event),
            _ => None,
        })
        .collect();
    let all = told.len();
    told.sort_unstable();
    told.dedup();
    prop_assert_eq!(told.len(), all);
    Ok(())
}
