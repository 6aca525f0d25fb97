//! What holds after any sequence of commands.

use std::sync::Arc;

use domain::{AggregateState, Case, DecisionContext, decide};
use proptest::prelude::*;
use schemas::command::{AggregateKind, Command};
use schemas::event::{CaseEvent, EventRecord};
use schemas::moment::Instant;
use schemas::query::CaseStatus;
use serde_json::{Value, json};

use crate::fixtures::*;

fn by_system(mut data: Value) -> Value {
    data["actor"] = json!({ "kind": "system", "id": "timekeeper" });
    data["channel"] = json!("system");
    data
}

fn notification(about: u8) -> Value {
    by_system(json!({
        "notice": "request_received", "about_event": format!("00000000-0000-0000-0000-0000000000{about:02}"), "about_position": 1,
        "recipient": CUSTOMER, "medium": "email", "delivery": { "result": "no_address" },
    }))
}

/// What residents, officers and the council's systems send to a complaint.
fn any_command() -> impl Strategy<Value = Command> {
    let fixed = |weight: u32, name: &'static str, data: Value| (weight, Just(command(name, data)).boxed());
    let submit = json!({ "request_type": "complaint-stage-1", "customer_id": CUSTOMER,
        "answers": { "about": "waste", "what_went_wrong": "late" } });
    let close = json!({ "outcome": "upheld", "reasons": "late indeed" });
    let decided = json!({ "outcome": "not-upheld", "reasons": "in time", "rule": "code:5" });
    let more = json!({ "ground": "more_working_days", "working_days": 5, "explanation": "leave" });
    let clock = |clock: &str, due: &str, mark: &str| by_system(json!({ "clock": clock, "due": due, "mark": mark }));
    let of_entry = |entry: i64| command("CorrectEntry", by_officer(json!({ "entry": entry, "reason": "wrong" })));
    proptest::strategy::Union::new_weighted(vec![
        fixed(1, "SubmitRequest", submit),
        fixed(1, "UpdateRequest", json!({ "description": "by the gate" })),
        fixed(1, "AssignRequest", by_officer(json!({ "team": "complaints" }))),
        fixed(1, "CancelRequest", json!({})),
        fixed(3, "CloseRequest", by_officer(close)),
        fixed(3, "ReopenRequest", json!({ "reason": "it is still there" })),
        fixed(
            2,
            "AskForInformation",
            by_officer(json!({ "wanted": "clarification", "question": "Which?" })),
        ),
        fixed(
            2,
            "ProvideInformation",
            json!({ "wanted": "clarification", "answer": "that one" }),
        ),
        fixed(1, "AddNote", by_officer(json!({ "note": "rang" }))),
        fixed(
            1,
            "RecordContact",
            by_officer(json!({ "direction": "incoming", "summary": "rang" })),
        ),
        fixed(2, "AcknowledgeRequest", by_officer(json!({}))),
        fixed(2, "ExtendTime", by_officer(more)),
        fixed(1, "RecordDecision", by_officer(decided)),
        fixed(
            1,
            "SendForInvestigation",
            by_officer(json!({ "recipient": "service", "question": "Who came?" })),
        ),
        fixed(
            1,
            "RecordFindings",
            by_officer(json!({ "recipient": "service", "findings": "nobody" })),
        ),
        fixed(
            1,
            "AgreeRemedy",
            by_officer(json!({ "remedy": "sorry", "due_on": "2026-12-31" })),
        ),
        fixed(1, "RecordRemedyDone", by_officer(json!({ "remedy": 1 }))),
        fixed(1, "RecomputeClocks", by_system(json!({}))),
        fixed(2, "RecordClock", clock("complaint_s1_ack", "2026-01-08", "overdue")),
        fixed(2, "RecordClock", clock("complaint_s1_ack", "2026-01-08", "approaching")),
        (4, (1_i64..20).prop_map(of_entry).boxed()),
        (
            2,
            (0_u8..3)
                .prop_map(|about| command("RecordNotification", notification(about)))
                .boxed(),
        ),
    ])
}

fn facts(now: Instant) -> DecisionContext {
    let request_type = request_type("complaint-stage-1");
    let mut reopens = (*request_type).clone();
    reopens.reopening.days = 14;
    DecisionContext {
        now,
        request_type: Some(Arc::new(reopens)),
        clock_files: Some(Arc::clone(&CLOCK_FILES)),
        authority: Some(authority("j.okafor", &["complaints"])),
        ..context()
    }
}

fn case(state: &AggregateState) -> &Case {
    match state {
        AggregateState::Case(case) => case,
        AggregateState::Customer(_) | AggregateState::Round(_) | AggregateState::Entitlement(_) => {
            panic!("a case's stream holds something else")
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_sent_the_rules_hold(commands in proptest::collection::vec((any_command(), 0_i64..400_000), 1..60)) {
        let mut now = at("2026-01-01T00:00:00Z");
        let mut state: Option<AggregateState> = None;
        let mut log: Vec<(EventRecord, Instant)> = Vec::new();
        for (command, later_s) in commands {
            now = Instant::new(now.get() + time::Duration::seconds(later_s));
            let Ok(events) = decide(state.as_ref(), &command, &facts(now)) else { continue };
            for event in events {
                log.push((event.clone(), now));
                state.get_or_insert_with(|| AggregateState::before(&event)).apply(event, now);
            }
            if let Some(state) = &state {
                let case = case(state);
                prop_assert_eq!(case.outcome().is_some(), case.status() == Some(CaseStatus::Closed));
                prop_assert!(case.waiting_for().count() == 0 || case.status() == Some(CaseStatus::Open));
                let runs = case.clocks().any(|(name, clock)| clock.runs && !name.as_str().starts_with("remedy_"));
                prop_assert_eq!(runs, case.status() == Some(CaseStatus::Open), "clocks run exactly while it is open");
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
    check_corrections(log, live)?;
    check_said_once(log)
}

/// What was struck out counts no more, and nothing is struck out twice.
fn check_corrections(log: &[(EventRecord, Instant)], live: &AggregateState) -> Result<(), TestCaseError> {
    let mut struck: Vec<usize> = log
        .iter()
        .filter_map(|(event, _)| match event {
            EventRecord::Case(CaseEvent::EntryCorrected(corrected)) => usize::try_from(corrected.entry.0).ok(),
            _ => None,
        })
        .collect();
    let all = struck.len();
    struck.sort_unstable();
    struck.dedup();
    prop_assert_eq!(struck.len(), all);
    let counts = |name: &str| {
        let entries = (1..).zip(log);
        entries
            .filter(|(number, (event, _))| event.name() == name && !struck.contains(number))
            .count()
    };
    let reopened = usize::try_from(case(live).times_reopened()).unwrap();
    prop_assert_eq!(reopened, counts("RequestReopened"), "each reopening counts once");
    let endings = counts("RequestClosed") + counts("RequestCancelled");
    prop_assert_eq!(
        endings,
        reopened + usize::from(case(live).status() != Some(CaseStatus::Open)),
        "it ends, and is taken up again, by turns"
    );
    Ok(())
}

/// Near and overdue are said once of a clock and day; each notice's end once.
fn check_said_once(log: &[(EventRecord, Instant)]) -> Result<(), TestCaseError> {
    let mut said: Vec<String> = log
        .iter()
        .filter_map(|(event, _)| match event {
            EventRecord::Case(CaseEvent::NotificationFailed(event)) => Some(event.about_event.to_string()),
            _ => None,
        })
        .collect();
    let all = said.len();
    said.sort_unstable();
    said.dedup();
    prop_assert_eq!(said.len(), all);
    Ok(())
}
