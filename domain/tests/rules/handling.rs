//! Keeping in touch, asking others, linking cases, and what comes after a case.

use std::sync::Arc;

use domain::{Case, Rejection};
use schemas::CaseId;
use schemas::event::CaseEvent;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures::*;

const OTHER: CaseId = CaseId(Uuid::from_u128(7));

fn complaint() -> Life {
    let mut life = life("complaint-stage-1");
    life.does(
        "2026-10-05T09:00:00Z",
        "SubmitRequest",
        submit("complaint-stage-1", Value::Null),
    );
    life
}

fn submit(code: &str, follows: Value) -> Value {
    let answers = match code {
        "complaint-stage-1" => json!({ "about": "waste", "what_went_wrong": "late" }),
        "complaint-stage-2" => json!({ "why_dissatisfied": "nothing changed" }),
        _ => json!({}),
    };
    json!({ "request_type": code, "customer_id": CUSTOMER, "answers": answers, "follows": follows })
}

fn closed_complaint() -> Case {
    let mut life = complaint();
    let close = by_officer(json!({ "outcome": "not-upheld", "reasons": "The crew came." }));
    life.does("2026-10-16T09:00:00Z", "CloseRequest", close);
    life.case().clone()
}

#[test]
fn findings_are_asked_of_whom_the_catalogue_lists_and_come_once() {
    let mut life = complaint();
    let when = "2026-10-06T09:00:00Z";
    let ask =
        |whom: &str| by_officer(json!({ "recipient": whom, "question": "What happened?", "answer_by": "2026-10-13" }));
    assert_eq!(
        life.tries(when, "SendForInvestigation", ask("newspaper")),
        Err(Rejection::UnknownRecipient)
    );
    let findings = || by_officer(json!({ "recipient": "service", "findings": "The lorry broke down." }));
    assert_eq!(
        life.tries(when, "RecordFindings", findings()),
        Err(Rejection::NobodyAskedThem)
    );
    let events = life.does(when, "SendForInvestigation", ask("service"));
    let CaseEvent::SentForInvestigation(sent) = &events[0] else {
        panic!("sent")
    };
    assert_eq!((sent.legal_basis.as_str(), sent.fields.len()), ("public_task", 2));
    let mut by_resident = findings();
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(
        life.tries(when, "RecordFindings", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    life.does(when, "RecordFindings", findings());
    assert_eq!(
        life.tries(when, "RecordFindings", findings()),
        Err(Rejection::NobodyAskedThem)
    );
    let mut past = ask("service");
    past["answer_by"] = json!("2026-10-06");
    assert_eq!(
        life.tries(when, "SendForInvestigation", past),
        Err(Rejection::AnswerByPast)
    );
}

#[test]
fn a_contact_is_recorded_at_any_time_by_the_council() {
    let contact = || json!({ "direction": "incoming", "summary": "Asked how it goes.", "channel": "phone" });
    let mut life = complaint();
    life.does("2026-10-06T09:00:00Z", "RecordContact", by_officer(contact()));
    assert_eq!(
        life.tries("2026-10-06T09:00:00Z", "RecordContact", contact()),
        Err(Rejection::ActorNotAllowed)
    );
    let close = by_officer(json!({ "outcome": "upheld", "reasons": "We were late." }));
    life.does("2026-10-07T09:00:00Z", "CloseRequest", close);
    life.does("2026-10-08T09:00:00Z", "RecordContact", by_officer(contact()));
}

#[test]
fn cases_are_linked_once_and_never_to_themselves() {
    let mut life = complaint();
    let link = || by_officer(json!({ "relation": "same_letter_as", "case_id": OTHER }));
    let when = "2026-10-06T09:00:00Z";
    assert_eq!(life.tries(when, "LinkCase", link()), Err(Rejection::UnknownOtherCase));
    life.facts.other_case_id = Some(OTHER);
    life.facts.other_case = Some(Arc::new(life.case().clone()));
    assert_eq!(life.tries(when, "LinkCase", link()), Err(Rejection::LinkedToItself));
    life.facts.other_case = Some(Arc::new(another_case()));
    assert_eq!(life.does(when, "LinkCase", link()).len(), 1);
    assert!(life.does(when, "LinkCase", link()).is_empty());
    let duplicate = by_officer(json!({ "relation": "duplicate_of", "case_id": OTHER }));
    assert_eq!(life.does(when, "LinkCase", duplicate).len(), 1);
}

#[test]
fn the_next_stage_follows_a_closed_case_of_the_same_person_and_is_decided_by_another() {
    let mut life = life("complaint-stage-2");
    let when = "2026-11-09T09:00:00Z";
    let follow = || submit("complaint-stage-2", json!(OTHER));
    let alone = || submit("complaint-stage-2", Value::Null);
    assert_eq!(
        life.tries(when, "SubmitRequest", alone()),
        Err(Rejection::FollowsRequired)
    );
    let mut unexplained = by_officer(alone());
    unexplained["channel"] = json!("letter");
    assert_eq!(
        life.tries(when, "SubmitRequest", unexplained.clone()),
        Err(Rejection::FollowsRequired)
    );
    // What lies in no system is brought by an officer who says so.
    let mut of_old = crate::fixtures::life("complaint-stage-2");
    unexplained["reason"] = json!("Stage 1 was on paper.");
    of_old.does(when, "SubmitRequest", unexplained);
    assert_eq!(
        life.tries(when, "SubmitRequest", follow()),
        Err(Rejection::UnknownEarlierCase)
    );
    life.facts.other_case_id = Some(OTHER);
    life.facts.other_type = Some(request_type("complaint-stage-1"));
    life.facts.other_case = Some(Arc::new(complaint().case().clone()));
    assert_eq!(
        life.tries(when, "SubmitRequest", follow()),
        Err(Rejection::EarlierCaseNotClosed)
    );
    life.facts.other_case = Some(Arc::new(closed_complaint()));
    let mut of_another = follow();
    of_another["customer_id"] = json!(Uuid::from_u128(9));
    assert_eq!(
        life.tries(when, "SubmitRequest", of_another),
        Err(Rejection::EarlierCaseOfAnother)
    );
    life.facts.request_type = Some(request_type("foi-review"));
    let mut strange = submit("foi-review", json!(OTHER));
    strange["answers"] = json!({ "grounds": "no" });
    assert_eq!(
        life.tries(when, "SubmitRequest", strange),
        Err(Rejection::NotItsNextStage)
    );
    life.facts.request_type = Some(request_type("complaint-stage-2"));
    life.does(when, "SubmitRequest", follow());
    assert_eq!(life.clocks(), "complaint_s2 2026-12-14, complaint_s2_ack 2026-11-16");

    let close = |officer: &str| {
        let mut close = json!({ "outcome": "upheld", "reasons": "The crew had not come." });
        close["actor"] = json!({ "kind": "officer", "id": officer });
        close
    };
    life.facts.authority = Some(authority("j.okafor", &["complaints-review"]));
    assert_eq!(
        life.tries("2026-11-20T09:00:00Z", "CloseRequest", close("j.okafor")),
        Err(Rejection::SameReviewer)
    );
    life.facts.authority = Some(authority("m.hughes", &["complaints-review"]));
    life.does("2026-11-20T09:00:00Z", "CloseRequest", close("m.hughes"));
}
