//! How a case ends with an outcome, and who answers for it.

use domain::Rejection;
use schemas::event::{CaseEvent, RequestClosed};
use schemas::text::RuleCode;
use serde_json::{Value, json};

use crate::fixtures::*;

fn decision() -> Value {
    json!({ "outcome": "not-presented", "decided_by": { "kind": "officer", "id": "j.okafor" }, "reasons": "the pictures show no bin" })
}

fn by_contractor(outcome: &str) -> Value {
    json!({ "outcome": outcome, "actor": { "kind": "contractor", "id": "street-crews" }, "channel": "crew" })
}

fn not_recorded(outcome: &str) -> Value {
    json!({ "outcome": outcome, "decided_by": { "kind": "not_recorded" }, "actor": { "kind": "system", "id": "import" }, "channel": "system" })
}

#[test]
fn an_officer_of_a_team_that_may_decides_with_reasons() {
    when(vec![submitted()], "CloseRequest", by_officer(decision())).then(vec![closed()]);
    let mut acting = by_officer(decision());
    acting.as_object_mut().unwrap().remove("decided_by");
    when(vec![submitted()], "CloseRequest", acting).then(vec![closed()]);
    let mut reason = by_officer(json!({ "outcome": "not-presented" }));
    reason["reason"] = json!("the pictures show no bin");
    when(vec![submitted()], "CloseRequest", reason).then(vec![closed()]);
}

#[test]
fn an_officer_s_outcome_needs_the_register_the_team_and_reasons() {
    let close = || when(vec![submitted()], "CloseRequest", by_officer(decision()));
    close()
        .facts(|facts| facts.authority = None)
        .rejected(Rejection::OfficerNotRegistered);
    close()
        .facts(|facts| facts.authority = Some(authority("a.other", &["waste-client"])))
        .rejected(Rejection::OfficerNotRegistered);
    close()
        .facts(|facts| facts.authority = Some(authority("j.okafor", &["complaints"])))
        .rejected(Rejection::OfficerNotAuthorised);
    let mut bare = by_officer(decision());
    bare.as_object_mut().unwrap().remove("reasons");
    when(vec![submitted()], "CloseRequest", bare).rejected(Rejection::ReasonsRequired);
}

#[test]
fn nobody_else_closes() {
    when(vec![submitted()], "CloseRequest", decision()).rejected(Rejection::OfficerRequired);
    let system =
        json!({ "outcome": "collected", "actor": { "kind": "system", "id": "timekeeper" }, "channel": "system" });
    when(vec![submitted()], "CloseRequest", system).rejected(Rejection::OfficerRequired);
    when(vec![submitted()], "CloseRequest", by_contractor("collected")).rejected(Rejection::ReportTheJob);
}

#[test]
fn a_decider_is_left_unrecorded_only_with_that_right() {
    let close = |outcome: &str| when(vec![submitted()], "CloseRequest", not_recorded(outcome));
    close("closed-elsewhere").rejected(Rejection::DeciderMustBeNamed);
    let events = close("closed-elsewhere")
        .facts(|facts| facts.may_leave_decider_unrecorded = true)
        .events();
    assert!(matches!(events.as_slice(), [CaseEvent::RequestClosed(_)]));
}

#[test]
fn the_outcome_is_one_of_the_type_that_people_may_choose() {
    let mut data = by_officer(decision());
    data["outcome"] = json!("closed-elsewhere");
    when(vec![submitted()], "CloseRequest", data.clone()).rejected(Rejection::OutcomeImportedOnly);
    data["outcome"] = json!("approved");
    when(vec![submitted()], "CloseRequest", data.clone()).rejected(Rejection::UnknownOutcome {
        outcome: "approved".into(),
    });
    when(vec![submitted()], "CloseRequest", data)
        .facts(|facts| facts.request_type = None)
        .rejected(Rejection::RequestTypeGone);
}

#[test]
fn a_case_ends_once() {
    when(vec![submitted(), closed()], "CloseRequest", by_officer(decision())).rejected(Rejection::AlreadyClosed);
    when(vec![submitted(), cancelled()], "CloseRequest", by_officer(decision())).rejected(Rejection::CaseCancelled);
    when(
        vec![submitted(), closed(), reopened()],
        "CloseRequest",
        by_officer(decision()),
    )
    .then(vec![closed()]);
}

#[test]
fn a_contractor_does_not_decide_in_an_officers_name() {
    let mut data = by_contractor("collected");
    data["decided_by"] = json!({ "kind": "officer", "id": "j.okafor" });
    data["reasons"] = json!("We went there.");
    when(vec![submitted()], "CloseRequest", data).rejected(Rejection::ActorNotAllowed);
}

#[test]
fn the_case_of_an_erased_person_ends_without_reasons() {
    let close = || {
        when(
            vec![submitted()],
            "CloseRequest",
            by_officer(json!({ "outcome": "not-presented" })),
        )
    };
    close().rejected(Rejection::ReasonsRequired);
    let CaseEvent::RequestClosed(closed) = closed() else {
        unreachable!()
    };
    let without_reasons = RequestClosed {
        reasons: None,
        ..closed
    };
    close()
        .facts(|facts| facts.person_erased = true)
        .then(vec![without_reasons.into()]);
}

#[test]
fn a_decision_keeps_its_rule_its_evidence_and_what_was_said_beside_them() {
    let mut data = by_officer(decision());
    data["rule"] = json!("waste-policy-2025:3.2");
    data["evidence"] = json!("The crew's pictures.");
    data["reason"] = json!("Closed in the morning round.");
    let CaseEvent::RequestClosed(closed) = closed() else {
        unreachable!()
    };
    let expected = RequestClosed {
        rule: Some(RuleCode::new("waste-policy-2025:3.2").unwrap()),
        evidence: Some(sealed()),
        reason: Some(sealed()),
        ..closed
    };
    when(vec![submitted()], "CloseRequest", data).then(vec![expected.into()]);
}
