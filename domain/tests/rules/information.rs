//! What the council asks the person for, what they answer, and what officers note.

use domain::{Case, Rejection};
use schemas::CustomerId;
use schemas::command::InformationWanted;
use schemas::event::{CaseEvent, InformationAskedFor, InformationProvided, NoteAdded};
use serde_json::{Value, json};

use crate::fixtures::*;

/// A case of somebody who can be asked.
fn of_a_customer() -> CaseEvent {
    let CaseEvent::RequestSubmitted(mut submitted) = submitted() else {
        panic!("a submission");
    };
    submitted.customer_id = Some(CustomerId(CUSTOMER.parse().unwrap()));
    submitted.received_on = "2026-05-15".parse().unwrap();
    submitted.into()
}

fn asked(wanted: InformationWanted) -> CaseEvent {
    InformationAskedFor {
        wanted,
        question: sealed(),
        asked_on: "2026-05-18".parse().unwrap(),
        answer_by: None,
        reason: None,
        clocks: Vec::new(),
    }
    .into()
}

fn question() -> Value {
    by_officer(json!({ "wanted": "clarification", "question": "Which gate?" }))
}

fn answer() -> Value {
    json!({ "wanted": "clarification", "answer": "The back gate." })
}

#[test]
fn an_officer_asks_the_person_whose_case_it_is() {
    let mut ask = question();
    ask["answer_by"] = json!("2026-05-21");
    let expected = InformationAskedFor {
        wanted: InformationWanted::Clarification,
        question: sealed(),
        asked_on: "2026-05-20".parse().unwrap(),
        answer_by: Some("2026-05-21".parse().unwrap()),
        reason: None,
        clocks: Vec::new(),
    };
    when(vec![of_a_customer()], "AskForInformation", ask).then(vec![expected.into()]);
    // Asked by letter two days ago: clocks go by that day.
    let mut ask = question();
    ask["received_on"] = json!("2026-05-18");
    when(vec![of_a_customer()], "AskForInformation", ask).then(vec![asked(InformationWanted::Clarification)]);
}

#[test]
fn nobody_else_asks_and_nobody_is_asked_in_vain() {
    let ask = |given: Vec<CaseEvent>, data: Value| when(given, "AskForInformation", data);
    let mut by_resident = question();
    by_resident["actor"] = json!({ "kind": "resident" });
    ask(vec![of_a_customer()], by_resident).rejected(Rejection::ActorNotAllowed);
    ask(vec![of_a_customer()], question())
        .facts(|facts| facts.authority = Some(authority("m.hughes", &["waste-client"])))
        .rejected(Rejection::ActorNotRegistered);
    ask(vec![submitted()], question()).rejected(Rejection::NobodyToAsk);
    ask(vec![of_a_customer(), closed()], question()).rejected(Rejection::CaseClosed);
    ask(vec![of_a_customer(), cancelled()], question()).rejected(Rejection::CaseCancelled);
    for day in ["2026-05-20", "2026-05-01"] {
        let mut past = question();
        past["answer_by"] = json!(day);
        ask(vec![of_a_customer()], past).rejected(Rejection::AnswerByPast);
    }
}

#[test]
fn what_was_asked_for_is_provided_with_the_day_that_it_came() {
    let mut by_letter = answer();
    by_letter["received_on"] = json!("2026-05-19");
    let expected = InformationProvided {
        wanted: InformationWanted::Clarification,
        answer: Some(sealed()),
        answers: Default::default(),
        received_on: "2026-05-19".parse().unwrap(),
        reason: None,
        clocks: Vec::new(),
    };
    let waiting = || vec![of_a_customer(), asked(InformationWanted::Clarification)];
    when(waiting(), "ProvideInformation", by_letter.clone()).then(vec![expected.into()]);
    by_letter["received_on"] = json!("2026-05-17");
    when(waiting(), "ProvideInformation", by_letter).rejected(Rejection::ReceivedBeforeAsked);
}

#[test]
fn what_nobody_waits_for_is_no_answer() {
    let provide = |given: Vec<CaseEvent>, data: Value| when(given, "ProvideInformation", data);
    let waiting = || vec![of_a_customer(), asked(InformationWanted::Clarification)];
    provide(vec![of_a_customer()], answer()).rejected(Rejection::NotWaitingFor);
    provide(vec![of_a_customer(), asked(InformationWanted::Identity)], answer()).rejected(Rejection::NotWaitingFor);
    let mut answered = waiting();
    answered.extend(provide(waiting(), answer()).events());
    provide(answered, answer()).rejected(Rejection::NotWaitingFor);
    // What was asked before it was closed is not waited for when it is taken up again.
    let mut taken_up = waiting();
    taken_up.extend([closed(), reopened()]);
    provide(taken_up, answer()).rejected(Rejection::NotWaitingFor);
    let mut ended = waiting();
    ended.push(closed());
    provide(ended, answer()).rejected(Rejection::CaseClosed);

    let mut by_contractor = answer();
    by_contractor["actor"] = json!({ "kind": "contractor", "id": "waste-crews" });
    provide(waiting(), by_contractor).rejected(Rejection::ActorNotAllowed);
    provide(waiting(), json!({ "wanted": "clarification" })).rejected(Rejection::NothingGiven);
    let strange = json!({ "wanted": "clarification", "answers": { "bin_type": "coal" } });
    let faults = {
        let mut answers = serde_json::from_value(json!({ "bin_type": "coal" })).unwrap();
        request_type("missed-bin").mark_answers(&mut answers);
        request_type("missed-bin").check_answers(&answers, false)
    };
    provide(waiting(), strange).rejected(Rejection::InvalidAnswers { faults });
}

#[test]
fn an_officer_s_note_stands_on_any_case() {
    let expected = || {
        vec![
            NoteAdded {
                note: sealed(),
                reason: None,
            }
            .into(),
        ]
    };
    let note = || by_officer(json!({ "note": "Rang the depot." }));
    when(vec![submitted()], "AddNote", note()).then(expected());
    when(vec![submitted(), closed()], "AddNote", note()).then(expected());
    when(vec![submitted(), cancelled()], "AddNote", note()).then(expected());
    when(vec![submitted()], "AddNote", json!({ "note": "mine" })).rejected(Rejection::ActorNotAllowed);
    when(vec![], "AddNote", note()).rejected(Rejection::UnknownCase);
}

#[test]
fn a_case_knows_what_it_waits_for() {
    let mut case = Case::default();
    let mut happens = |event: CaseEvent| {
        case.apply_at(&event, now());
        case.waiting_for().collect::<Vec<_>>()
    };
    assert_eq!(happens(of_a_customer()), []);
    assert_eq!(
        happens(asked(InformationWanted::Identity)),
        [InformationWanted::Identity]
    );
    assert_eq!(
        happens(asked(InformationWanted::Clarification)),
        [InformationWanted::Clarification, InformationWanted::Identity]
    );
    assert_eq!(happens(cancelled()), []);
}
