//! Decisions about a person: a named officer of a team that may, with reasons and the rule.

use domain::Rejection;
use schemas::event::CaseEvent;
use serde_json::{Value, json};

use crate::fixtures::*;

fn badge() -> Life {
    let mut life = life("blue-badge");
    let submit = json!({ "request_type": "blue-badge", "customer_id": CUSTOMER, "answers": {
        "application": "new", "route": "walking", "birth_date": "1950-01-02"
    } });
    life.does("2026-06-03T09:00:00Z", "SubmitRequest", submit);
    life
}

fn information_request() -> Life {
    let mut life = life("foi");
    let submit = json!({ "request_type": "foi", "customer_id": CUSTOMER, "answers": { "wanted": "the contract" } });
    life.does("2026-10-05T09:00:00Z", "SubmitRequest", submit);
    life
}

fn assessment() -> Value {
    by_officer(json!({ "eligibility": "eligible", "reasons": "You walk 30 metres.", "rule": "si-2000-682:4(2)(f)" }))
}

fn decision(outcome: &str) -> Value {
    by_officer(json!({ "outcome": outcome, "reasons": "You qualify.", "rule": "si-2000-682:4(2)(f)" }))
}

#[test]
fn eligibility_is_found_by_an_officer_who_may() {
    let mut life = badge();
    let events = life.does("2026-07-01T09:00:00Z", "AssessEligibility", assessment());
    let CaseEvent::EligibilityAssessed(assessed) = &events[0] else {
        panic!("an assessment")
    };
    assert_eq!(assessed.decided_by.as_str(), "j.okafor");
    // A system passes on what an officer decided, and names them.
    let mut passed_on = assessment();
    passed_on["actor"] = json!({ "kind": "system", "id": "badge-portal" });
    assert_eq!(
        life.tries("2026-07-01T09:00:00Z", "AssessEligibility", passed_on.clone()),
        Err(Rejection::OfficerRequired)
    );
    passed_on["decided_by"] = json!({ "kind": "officer", "id": "j.okafor" });
    life.does("2026-07-01T09:00:00Z", "AssessEligibility", passed_on);
}

#[test]
fn nobody_else_decides() {
    for (name, data) in [
        ("AssessEligibility", assessment()),
        ("RecordDecision", decision("approved")),
    ] {
        let mut life = badge();
        for actor in [
            json!({ "kind": "resident" }),
            json!({ "kind": "contractor", "id": "waste-crews" }),
            json!({ "kind": "system", "id": "badge-portal" }),
        ] {
            let mut data = data.clone();
            data["actor"] = actor;
            assert_eq!(
                life.tries("2026-07-01T09:00:00Z", name, data),
                Err(Rejection::OfficerRequired)
            );
        }
        let mut unrecorded = data.clone();
        unrecorded["decided_by"] = json!({ "kind": "not_recorded" });
        life.facts.may_leave_decider_unrecorded = true;
        assert_eq!(
            life.tries("2026-07-01T09:00:00Z", name, unrecorded),
            Err(Rejection::DeciderMustBeNamed)
        );
        life.facts.authority = Some(authority("j.okafor", &["waste-client"]));
        assert_eq!(
            life.tries("2026-07-01T09:00:00Z", name, data.clone()),
            Err(Rejection::OfficerNotAuthorised)
        );
        life.facts.authority = None;
        assert_eq!(
            life.tries("2026-07-01T09:00:00Z", name, data),
            Err(Rejection::OfficerNotRegistered)
        );
    }
}

#[test]
fn a_case_is_closed_as_it_was_decided() {
    let mut life = badge();
    life.does("2026-07-01T09:00:00Z", "RecordDecision", decision("approved"));
    let close = |outcome: &str| {
        let mut close = json!({ "outcome": outcome });
        close["actor"] = json!({ "kind": "system", "id": "badge-portal" });
        close
    };
    assert_eq!(
        life.tries("2026-07-09T09:00:00Z", "CloseRequest", close("refused")),
        Err(Rejection::NotTheDecidedOutcome)
    );
    let mut by_resident = close("approved");
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(
        life.tries("2026-07-09T09:00:00Z", "CloseRequest", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    for more in [
        json!({ "reasons": "otherwise" }),
        json!({ "rule": "x:1" }),
        json!({ "evidence": "a letter" }),
        json!({ "exemptions": ["foia-2000:14"] }),
    ] {
        let mut with_more = close("approved");
        with_more
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert_eq!(
            life.tries("2026-07-09T09:00:00Z", "CloseRequest", with_more),
            Err(Rejection::DecidedAlready)
        );
    }
    let events = life.does("2026-07-09T09:00:00Z", "CloseRequest", close("approved"));
    let CaseEvent::RequestClosed(closed) = &events[0] else {
        panic!("a closing")
    };
    assert_eq!(
        serde_json::to_value(&closed.decided_by).unwrap(),
        json!({ "kind": "officer", "id": "j.okafor" })
    );
    assert_eq!(closed.rule.as_ref().unwrap().as_str(), "si-2000-682:4(2)(f)");
    assert!(closed.reasons.is_some(), "the reasons are those of the decision");
}

#[test]
fn a_new_decision_takes_the_place_of_the_one_before() {
    let mut life = badge();
    life.does("2026-07-01T09:00:00Z", "RecordDecision", decision("approved"));
    life.does("2026-07-02T09:00:00Z", "RecordDecision", decision("refused"));
    life.does(
        "2026-07-03T09:00:00Z",
        "CloseRequest",
        by_officer(json!({ "outcome": "refused" })),
    );
    assert_eq!(life.case().outcome().unwrap().as_str(), "refused");
}

#[test]
fn only_decisions_are_decided() {
    let mut life = information_request();
    assert_eq!(
        life.tries("2026-10-06T09:00:00Z", "RecordDecision", decision("withdrawn")),
        Err(Rejection::NotADecision)
    );
    let unknown = Rejection::UnknownOutcome {
        outcome: "approved".to_owned(),
    };
    assert_eq!(
        life.tries("2026-10-06T09:00:00Z", "RecordDecision", decision("approved")),
        Err(unknown)
    );
}

#[test]
fn a_refusal_names_its_exemptions() {
    let mut life = information_request();
    let with = |outcome: &str, exemptions: Value| {
        let mut data = decision(outcome);
        data["exemptions"] = exemptions;
        data
    };
    let when = "2026-10-20T09:00:00Z";
    assert_eq!(
        life.tries(when, "RecordDecision", with("part-given", json!([]))),
        Err(Rejection::ExemptionsRequired)
    );
    assert_eq!(
        life.tries(when, "CloseRequest", with("refused-exempt", json!([]))),
        Err(Rejection::ExemptionsRequired)
    );
    assert_eq!(
        life.tries(when, "RecordDecision", with("all-given", json!(["foia-2000:40(2)"]))),
        Err(Rejection::ExemptionsNotExpected)
    );
    life.does(
        when,
        "RecordDecision",
        with("part-given", json!(["foia-2000:40(2)", "foia-2000:43(2)"])),
    );
    let events = life.does(when, "CloseRequest", by_officer(json!({ "outcome": "part-given" })));
    let CaseEvent::RequestClosed(closed) = &events[0] else {
        panic!("a closing")
    };
    let told: Vec<&str> = closed.exemptions.iter().map(|exemption| exemption.as_str()).collect();
    assert_eq!(told, ["foia-2000:40(2)", "foia-2000:43(2)"]);
}

#[test]
fn who_closes_in_another_officer_s_name_needs_that_officer_to_be_one_who_may() {
    let mut life = badge();
    life.does("2026-07-01T09:00:00Z", "RecordDecision", decision("approved"));
    life.facts.authority = Some(authority("m.hughes", &["highways-inspection"]));
    let mut close = by_officer(json!({ "outcome": "approved", "reasons": "You qualify." }));
    close["decided_by"] = json!({ "kind": "officer", "id": "m.hughes" });
    assert_eq!(
        life.tries("2026-07-02T09:00:00Z", "CloseRequest", close),
        Err(Rejection::OfficerNotAuthorised)
    );
}

#[test]
fn a_badge_is_issued_where_it_was_granted_and_for_no_longer_than_the_law_allows() {
    let issued =
        |on: &str, until: &str| by_officer(json!({ "badge_number": "K4T9Z2", "issued_on": on, "valid_until": until }));
    let now = "2026-07-10T09:00:00Z";
    let mut life = badge();
    let as_usual = || issued("2026-07-09", "2029-07-08");
    assert_eq!(
        life.tries(now, "RecordBadgeIssued", as_usual()),
        Err(Rejection::NotGranted)
    );
    life.does("2026-07-01T09:00:00Z", "RecordDecision", decision("refused"));
    assert_eq!(
        life.tries(now, "RecordBadgeIssued", as_usual()),
        Err(Rejection::NotGranted)
    );
    life.does("2026-07-02T09:00:00Z", "RecordDecision", decision("approved"));
    life.does(
        "2026-07-03T09:00:00Z",
        "CloseRequest",
        by_officer(json!({ "outcome": "approved" })),
    );
    let paid =
        json!({ "payment": 1, "pence": 1000, "currency": "GBP", "provider": "cash-desk", "provider_ref": "R-7" });
    life.does("2026-07-03T10:00:00Z", "RecordPayment", by_officer(paid));
    for (on, until, expected) in [
        ("2026-07-11", "2029-07-10", Rejection::IssuedInTheFuture),
        ("2026-06-02", "2029-06-01", Rejection::IssuedBeforeTheReceipt),
        ("2026-07-09", "2029-07-09", Rejection::NotValidSoLong),
        ("2026-07-09", "2026-07-08", Rejection::NotValidSoLong),
    ] {
        assert_eq!(life.tries(now, "RecordBadgeIssued", issued(on, until)), Err(expected));
    }
    let mut by_resident = as_usual();
    by_resident["actor"] = json!({ "kind": "resident" });
    assert_eq!(
        life.tries(now, "RecordBadgeIssued", by_resident),
        Err(Rejection::ActorNotAllowed)
    );
    // An award that ends sooner ends the badge sooner.
    life.does(now, "RecordBadgeIssued", issued("2026-07-09", "2027-01-31"));
    life.does(now, "RecordBadgeIssued", as_usual());
}
