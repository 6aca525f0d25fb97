//! What a case is to the contractor who delivers it: raised, changed, taken back and taken up again with the case, and what
//! becomes of the contractor's reports.

mod property;
mod reports;

use domain::{AggregateState, Rejection};
use schemas::event::{CaseEvent, JobCancellation, JobReopening};
use schemas::query::{CaseStatus, JobStage};
use serde_json::{Value, json};

use crate::fixtures::*;

const MISSED: &str = r#"{ "request_type": "missed-bin", "answers": { "bin_type": "refuse", "presented": true },
    "description": "Not emptied.", "place": { "postcode": "NM4 7QP" } }"#;

/// Something that the contractor reports on an attempt at the case's first job.
fn report(attempt: u32, put_in: Value) -> Value {
    let mut data = json!({
        "job": { "number": 1, "attempt": attempt }, "actor": { "kind": "contractor", "id": "street-partner" }, "channel": "crew",
    });
    for (key, value) in put_in.as_object().unwrap() {
        data[key] = value.clone();
    }
    data
}

fn done(attempt: u32) -> Value {
    report(attempt, json!({ "code": "COLLECTED" }))
}

fn officer_on(attempt: u32, reason: &str) -> Value {
    by_officer(json!({ "job": { "number": 1, "attempt": attempt }, "reason": reason }))
}

fn names(events: &[CaseEvent]) -> Vec<&'static str> {
    events.iter().map(CaseEvent::name).collect()
}

/// A missed bin that was reported on 4 May, a bank holiday.
fn missed_bin() -> Life {
    let mut life = contracted_life("missed-bin");
    let opened = life.does(
        "2026-05-04T09:00:00Z",
        "SubmitRequest",
        serde_json::from_str(MISSED).unwrap(),
    );
    assert_eq!(names(&opened), ["RequestSubmitted", "JobRaised"]);
    life
}

/// A pothole, of whose repairs a sample is inspected.
fn pothole() -> Life {
    let mut life = contracted_life("pothole");
    let answers = json!({ "position": "carriageway", "dangerous": true });
    let data = json!({ "request_type": "pothole", "answers": answers });
    life.does("2026-05-05T09:00:00Z", "SubmitRequest", data);
    life
}

fn stage(life: &Life) -> JobStage {
    life.case().job().unwrap().stage
}

#[test]
fn a_new_case_is_raised_with_what_the_contractor_may_know() {
    let mut life = contracted_life("missed-bin");
    let opened = life.does(
        "2026-05-04T09:00:00Z",
        "SubmitRequest",
        serde_json::from_str(MISSED).unwrap(),
    );
    let CaseEvent::JobRaised(raised) = &opened[1] else {
        panic!("{opened:?}")
    };
    assert_eq!(
        (raised.contractor.as_str(), raised.code.as_str()),
        ("street-partner", "MISSED-BIN")
    );
    assert_eq!(
        raised.sharing.fields,
        ["place", "bin_type"],
        "of what is allowed, what there is; not whether it was out"
    );
    assert_eq!(
        (raised.sharing.purpose.as_str(), raised.sharing.legal_basis.as_str()),
        ("to do the job", "public_task")
    );
    assert_eq!(
        life.clocks(),
        "collection 2026-05-06, job_1 2026-05-05",
        "the contractor's clock beside the resident's"
    );
}

#[test]
fn what_comes_from_another_system_is_nobody_s_job_until_an_officer_raises_it() {
    let mut life = contracted_life("missed-bin");
    life.facts.may_leave_decider_unrecorded = true;
    let opened = life.does(
        "2026-05-04T09:00:00Z",
        "SubmitRequest",
        serde_json::from_str(MISSED).unwrap(),
    );
    assert_eq!(names(&opened), ["RequestSubmitted"]);
    life.facts.may_leave_decider_unrecorded = false;
    let raise = by_officer(json!({ "reason": "Still to be fetched." }));
    assert_eq!(
        names(&life.does("2026-05-05T09:00:00Z", "RaiseJob", raise)),
        ["JobRaised"]
    );
}

#[test]
fn reopening_reaches_whoever_delivers_and_what_was_done_before_it_does_not_count() {
    let mut life = missed_bin();
    life.does("2026-05-05T07:20:00Z", "ReportJobDone", done(1));
    for (times, at) in [(1, "2026-05-06T09:00:00Z"), (2, "2026-05-08T09:00:00Z")] {
        let reopened = life.does(at, "ReopenRequest", json!({ "reason": "Still full." }));
        let [CaseEvent::RequestReopened(_), CaseEvent::JobReopened(job)] = &reopened[..] else {
            panic!("{reopened:?}")
        };
        assert_eq!((job.attempt, job.why), (times + 1, JobReopening::CaseReopened));
        assert!(job.reason.is_some() && !job.clocks.is_empty());
        // The crew was offline: this is about the attempt before.
        let late = life.tries(at, "ReportJobDone", done(times));
        assert_eq!(late, Err(Rejection::JobReopenedSince { attempt: times + 1 }));
        let mut early = done(times + 1);
        early["occurred_at"] = json!("2026-05-05T10:00:00Z");
        assert_eq!(
            life.tries(at, "ReportJobDone", early),
            Err(Rejection::OccurredBeforeTheJob)
        );
        life.does("2026-05-07T07:00:00Z".max(at), "ReportJobDone", done(times + 1));
        assert_eq!(life.case().status(), Some(CaseStatus::Closed));
    }
}

#[test]
fn an_end_that_is_not_theirs_takes_the_job_back() {
    let mut closed = missed_bin();
    let close = by_officer(json!({ "outcome": "not-presented", "reasons": "The pictures show no bin." }));
    let events = closed.does("2026-05-05T09:00:00Z", "CloseRequest", close);
    assert!(
        matches!(&events[1], CaseEvent::JobCancelled(job) if job.why == JobCancellation::CaseClosed),
        "{events:?}"
    );
    assert_eq!(
        closed.tries("2026-05-05T10:00:00Z", "ReportJobDone", done(1)),
        Err(Rejection::CaseClosed)
    );

    let mut cancelled = missed_bin();
    let events = cancelled.does("2026-05-05T09:00:00Z", "CancelRequest", json!({}));
    assert!(
        matches!(&events[1], CaseEvent::JobCancelled(job) if job.why == JobCancellation::CaseCancelled),
        "{events:?}"
    );
    assert_eq!(cancelled.clocks(), "");
}

#[test]
fn a_closing_by_mistake_that_is_struck_out_reaches_whoever_delivers() {
    let mut life = missed_bin();
    let close = by_officer(json!({ "outcome": "not-presented", "reasons": "The pictures show no bin." }));
    life.does("2026-05-05T09:00:00Z", "CloseRequest", close);
    let strike = |entry: i64| by_officer(json!({ "entry": entry, "reason": "Another case was meant." }));
    let events = life.does("2026-05-05T10:00:00Z", "CorrectEntry", strike(3));
    assert!(
        matches!(&events[1], CaseEvent::JobReopened(job) if job.why == JobReopening::Corrected),
        "{events:?}"
    );
    assert_eq!(stage(&life), JobStage::Raised);
    // And a reopening by mistake, struck out, takes it back.
    life.does("2026-05-05T11:00:00Z", "ReportJobDone", done(2));
    life.does(
        "2026-05-06T09:00:00Z",
        "ReopenRequest",
        json!({ "reason": "Still full." }),
    );
    let events = life.does("2026-05-06T10:00:00Z", "CorrectEntry", strike(10));
    assert_eq!(names(&events), ["EntryCorrected", "JobCancelled"]);
    assert_eq!(
        (life.case().status(), life.clocks().as_str()),
        (Some(CaseStatus::Closed), "")
    );
}

#[test]
fn a_change_of_what_they_know_is_told_and_no_other() {
    let mut life = missed_bin();
    let told = life.does(
        "2026-05-05T09:00:00Z",
        "UpdateRequest",
        json!({ "answers": { "whole_street": true } }),
    );
    let CaseEvent::JobChanged(changed) = &told[1] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (&changed.changed[..], &changed.sharing.fields[..]),
        (
            &["whole_street".to_owned()][..],
            &["place".to_owned(), "bin_type".to_owned(), "whole_street".to_owned()][..]
        )
    );
    let untold = life.does(
        "2026-05-05T09:30:00Z",
        "UpdateRequest",
        json!({ "description": "It smells." }),
    );
    assert_eq!(names(&untold), ["RequestUpdated"]);
    life.does(
        "2026-05-05T10:00:00Z",
        "RejectJob",
        report(1, json!({ "code": "NO-LOCATION" })),
    );
    let nobody_s = life.does(
        "2026-05-05T11:00:00Z",
        "UpdateRequest",
        json!({ "answers": { "whole_street": false } }),
    );
    assert_eq!(names(&nobody_s), ["RequestUpdated"]);
}

#[test]
fn a_clock_that_is_behind_the_one_that_raised_the_job_comes_after_it() {
    let mut life = missed_bin();
    life.does("2026-05-05T07:20:00Z", "ReportJobDone", done(1));
    life.does(
        "2026-05-05T10:00:00Z",
        "ReopenRequest",
        json!({ "reason": "Still full." }),
    );
    let state = AggregateState::Case(life.case().clone());
    assert!(state.latest() >= Some(at("2026-05-05T10:00:00Z")));
}

#[test]
fn another_place_is_another_attempt() {
    let mut life = missed_bin();
    let elsewhere = json!({ "place": { "postcode": "NM1 2AB" } });
    let events = life.does("2026-05-05T09:00:00Z", "UpdateRequest", elsewhere);
    assert_eq!(names(&events), ["RequestUpdated", "JobReopened"]);
    assert_eq!(
        life.tries("2026-05-05T10:00:00Z", "ReportJobDone", done(1)),
        Err(Rejection::JobReopenedSince { attempt: 2 })
    );
    life.does("2026-05-05T10:00:00Z", "ReportJobDone", done(2));
    assert_eq!(stage(&life), JobStage::Accepted);
}

#[test]
fn a_change_of_type_while_a_report_waits_sends_them_out_again() {
    let mut life = pothole();
    life.facts.inspection_draw = Some(0);
    let reported = report(1, json!({ "code": "MADE-SAFE" }));
    life.does("2026-05-05T11:00:00Z", "ReportJobDone", reported);
    assert_eq!(stage(&life), JobStage::ReportedDone);
    life.facts.other_type = Some(contracted("streetlight"));
    let light = by_officer(json!({ "request_type": "streetlight", "reason": "It is the lamp.", "answers": {} }));
    let events = life.does("2026-05-05T12:00:00Z", "ChangeType", light);
    assert!(names(&events).contains(&"JobReopened"), "{events:?}");
    assert_eq!(stage(&life), JobStage::Raised);
}

#[test]
fn what_is_reported_days_later_is_looked_at_before_the_case_is_closed_as_of_then() {
    let mut life = missed_bin();
    let mut report = done(1);
    report["occurred_at"] = json!("2026-05-05T07:00:00Z");
    let events = life.does("2026-05-12T07:00:00Z", "ReportJobDone", report);
    assert_eq!(names(&events), ["JobReportedDone", "RequestAssigned"]);
    assert_eq!(life.case().status(), Some(CaseStatus::Open));
}

#[test]
fn an_officer_takes_a_job_back() {
    let mut life = missed_bin();
    let withdraw = by_officer(json!({ "reason": "Our own crew was there." }));
    let events = life.does("2026-05-05T09:00:00Z", "WithdrawJob", withdraw.clone());
    assert_eq!(names(&events), ["JobCancelled", "RequestAssigned"]);
    assert_eq!(
        life.tries("2026-05-05T10:00:00Z", "WithdrawJob", withdraw),
        Err(Rejection::JobNotWithContractor)
    );
    assert_eq!(
        life.tries("2026-05-05T10:00:00Z", "ReportJobDone", done(1)),
        Err(Rejection::JobNotWithContractor)
    );
}

#[test]
fn another_type_of_the_same_contractor_is_another_attempt_and_one_delivered_in_house_takes_it_back() {
    let change = |code: &str| by_officer(json!({ "request_type": code, "answers": {}, "reason": "It is a sofa." }));
    let mut life = missed_bin();
    life.facts.other_type = Some(contracted("household-appliance"));
    let fridge = by_officer(
        json!({ "request_type": "household-appliance", "reason": "It is a fridge.",
        "answers": { "appliance": "fridge", "count": 1 } }),
    );
    let events = life.does("2026-05-05T09:00:00Z", "ChangeType", fridge);
    let CaseEvent::JobReopened(reopened) = &events[1] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (reopened.code.as_str(), reopened.attempt, reopened.why),
        ("WHITE-GOODS", 2, JobReopening::OtherWork)
    );
    // The crew that was out for the bin, and collected that, has not collected the fridge.
    assert_eq!(
        life.tries("2026-05-05T10:00:00Z", "ReportJobDone", done(1)),
        Err(Rejection::JobReopenedSince { attempt: 2 })
    );
    let mut life = contracted_life("missed-bin");
    let mut data: Value = serde_json::from_str(MISSED).unwrap();
    data["customer_id"] = json!(CUSTOMER);
    life.does("2026-05-04T09:00:00Z", "SubmitRequest", data);
    let in_house = CATALOGUE
        .request_types()
        .find(|it| it.service.as_str() == "waste" && it.contract.is_none())
        .unwrap();
    life.facts.other_type = Some(in_house.clone());
    let events = life.does("2026-05-05T09:00:00Z", "ChangeType", change(in_house.code.as_str()));
    assert_eq!(names(&events), ["TypeChanged", "JobCancelled"]);
    assert_eq!(stage(&life), JobStage::Cancelled);
}

#[test]
fn another_type_that_has_to_be_paid_or_booked_first_takes_it_back_until_then() {
    let mut life = missed_bin();
    life.facts.other_type = Some(contracted("bulky-item"));
    let bulky = by_officer(json!({ "request_type": "bulky-item", "reason": "It is a sofa.",
        "answers": { "items": ["sofa"], "count": 1, "left_at": "front" } }));
    let events = life.does("2026-05-05T09:00:00Z", "ChangeType", bulky);
    assert_eq!(names(&events), ["TypeChanged", "PaymentDue", "JobCancelled"]);
}

#[test]
fn what_to_mind_at_the_door_goes_with_the_job_and_nothing_more() {
    let mut customer = AggregateState::before(&record_of_customer());
    customer.apply(record_of_customer(), at("2026-05-01T09:00:00Z"));
    customer.apply(marker("2026-05-04"), at("2026-05-01T09:00:00Z"));
    let AggregateState::Customer(customer) = customer else {
        unreachable!()
    };
    for (day, expected) in [("2026-05-04T09:00:00Z", 1), ("2026-05-05T09:00:00Z", 0)] {
        let mut life = contracted_life("missed-bin");
        life.facts.other_customer = Some(customer.clone().into());
        let mut data: Value = serde_json::from_str(MISSED).unwrap();
        data["customer_id"] = json!(CUSTOMER);
        let opened = life.does(day, "SubmitRequest", data);
        assert!(
            matches!(&opened[1], CaseEvent::JobRaised(job) if job.precautions.len() == expected),
            "{day}: {opened:?}"
        );
    }
}

fn record_of_customer() -> schemas::event::EventRecord {
    let payload = r#"{"event":"CustomerRegistered","name":{"sealed":"AQ"}}"#;
    schemas::event::EventRecord::read("customer", "CustomerRegistered", "1", payload).unwrap()
}

fn marker(until: &str) -> schemas::event::EventRecord {
    let payload = json!({
        "event": "HazardMarkerSet", "number": 1, "precaution": "visit_in_pairs", "grounds": { "sealed": "AQ" },
        "owner": "j.okafor", "review_on": "2026-05-03", "expires_on": until,
    });
    schemas::event::EventRecord::read("customer", "HazardMarkerSet", "1", &payload.to_string()).unwrap()
}
