//! What becomes of what the contractor reports, and of what officers make of it.

use domain::Rejection;
use schemas::event::{CaseEvent, JobAcceptance, JobReopening};
use schemas::query::{CaseStatus, JobStage};
use serde_json::json;

use super::{done, missed_bin, names, officer_on, pothole, report, stage};
use crate::fixtures::*;

#[test]
fn done_is_taken_at_once_where_the_type_says_so() {
    let mut life = missed_bin();
    let events = life.does("2026-05-05T07:20:00Z", "ReportJobDone", done(1));
    assert_eq!(names(&events), ["JobReportedDone", "JobAccepted", "RequestClosed"]);
    let (CaseEvent::JobAccepted(accepted), CaseEvent::RequestClosed(closed)) = (&events[1], &events[2]) else {
        panic!("{events:?}")
    };
    assert_eq!((accepted.how, &accepted.accepted_by), (JobAcceptance::Automatic, &None));
    assert_eq!((closed.outcome.as_str(), &closed.decided_by), ("collected", &None));
    assert_eq!((stage(&life), life.clocks().as_str()), (JobStage::Accepted, ""));
    let job = life
        .case()
        .clocks()
        .find(|(name, _)| name.as_str() == "job_1")
        .unwrap()
        .1;
    assert_eq!(domain::in_time(job), Some(true));
}

#[test]
fn done_is_looked_at_where_each_is_or_where_the_draw_falls_on_it() {
    for (percent, names_expected) in [
        (Some(9), &["JobReportedDone", "RequestAssigned"][..]),
        (Some(10), &["JobReportedDone", "JobAccepted", "RequestClosed"][..]),
        (None, &["JobReportedDone", "RequestAssigned"][..]),
    ] {
        let mut life = pothole();
        life.facts.inspection_draw = percent;
        let events = life.does(
            "2026-05-05T12:00:00Z",
            "ReportJobDone",
            report(1, json!({ "code": "REPAIRED" })),
        );
        assert_eq!(names(&events), names_expected, "{percent:?}");
    }
}

#[test]
fn an_officer_accepts_what_was_reported_or_sends_it_back() {
    let mut life = pothole();
    life.does(
        "2026-05-05T12:00:00Z",
        "ReportJobDone",
        report(1, json!({ "code": "MADE-SAFE" })),
    );
    assert_eq!(
        (stage(&life), life.case().team().unwrap().as_str()),
        (JobStage::ReportedDone, "highways-inspection")
    );
    assert_eq!(
        life.case().status(),
        Some(CaseStatus::Open),
        "the contractor's done is not yet the council's"
    );
    assert!(
        !life.clocks().contains("job_1"),
        "the contractor has reported: {}",
        life.clocks()
    );
    let twice = life.tries(
        "2026-05-05T12:30:00Z",
        "ReportJobDone",
        report(1, json!({ "code": "MADE-SAFE" })),
    );
    assert_eq!(twice, Err(Rejection::JobNotWithContractor));
    let mut bare = officer_on(1, "x");
    bare.as_object_mut().unwrap().remove("reason");
    assert_eq!(
        life.tries("2026-05-05T13:00:00Z", "SendJobBack", bare),
        Err(Rejection::ReasonRequired)
    );

    let back = life.does(
        "2026-05-05T13:00:00Z",
        "SendJobBack",
        officer_on(1, "The edges are loose."),
    );
    assert_eq!(names(&back), ["JobReopened", "RequestAssigned"]);
    let CaseEvent::JobReopened(reopened) = &back[0] else {
        panic!("{back:?}")
    };
    assert_eq!((reopened.why, reopened.attempt), (JobReopening::SentBack, 2));
    assert!(
        reopened.reason.is_some() && life.clocks().contains("job_1 2026-05-06T09:00:00Z"),
        "{}",
        life.clocks()
    );

    life.does(
        "2026-05-06T08:00:00Z",
        "ReportJobDone",
        report(2, json!({ "code": "REPAIRED" })),
    );
    assert_eq!(
        life.tries("2026-05-06T09:00:00Z", "AcceptJob", officer_on(1, "x")),
        Err(Rejection::JobReopenedSince { attempt: 2 })
    );
    let accepted = life.does("2026-05-06T09:00:00Z", "AcceptJob", officer_on(2, "I saw it."));
    assert_eq!(names(&accepted), ["JobAccepted", "RequestClosed"]);
    assert_eq!(life.case().outcome().unwrap().as_str(), "repaired");
    assert_eq!(
        life.tries("2026-05-06T10:00:00Z", "AcceptJob", officer_on(2, "x")),
        Err(Rejection::CaseClosed)
    );
}

#[test]
fn an_officer_who_closes_with_the_reported_outcome_accepts_it() {
    for (outcome, expected) in [("made-safe", "JobAccepted"), ("not-ours", "JobCancelled")] {
        let mut life = pothole();
        life.does(
            "2026-05-05T12:00:00Z",
            "ReportJobDone",
            report(1, json!({ "code": "MADE-SAFE" })),
        );
        let close = by_officer(json!({ "outcome": outcome, "reasons": "Seen on site." }));
        assert_eq!(
            names(&life.does("2026-05-05T13:00:00Z", "CloseRequest", close)),
            ["RequestClosed", expected]
        );
    }
}

#[test]
fn only_an_officer_who_decides_such_cases_accepts_or_sends_back() {
    let mut life = pothole();
    life.does(
        "2026-05-05T12:00:00Z",
        "ReportJobDone",
        report(1, json!({ "code": "MADE-SAFE" })),
    );
    life.facts.authority = Some(authority("j.okafor", &["waste-client"]));
    for name in ["AcceptJob", "SendJobBack"] {
        assert_eq!(
            life.tries("2026-05-05T13:00:00Z", name, officer_on(1, "x")),
            Err(Rejection::OfficerNotAuthorised)
        );
        let by_crew = report(1, json!({ "reason": "x" }));
        assert_eq!(
            life.tries("2026-05-05T13:00:00Z", name, by_crew),
            Err(Rejection::ActorNotAllowed)
        );
    }
}

#[test]
fn what_they_reject_or_can_not_do_is_the_council_s_until_it_is_raised_again() {
    for (name, code, after) in [
        ("RejectJob", "NO-LOCATION", JobStage::Rejected),
        ("ReportJobFailed", "NOT-OUT", JobStage::Failed),
    ] {
        let mut life = missed_bin();
        let events = life.does("2026-05-05T07:00:00Z", name, report(1, json!({ "code": code })));
        assert_eq!((events.len(), events[1].name()), (2, "RequestAssigned"), "{events:?}");
        assert_eq!(
            (stage(&life), life.case().team().unwrap().as_str()),
            (after, "waste-client")
        );
        assert_eq!(life.clocks(), "collection 2026-05-06", "the resident's runs on");
        let again = by_officer(json!({ "reason": "The bin is there: I was." }));
        let raised = life.does("2026-05-05T12:00:00Z", "RaiseJob", again.clone());
        assert_eq!(names(&raised), ["JobReopened", "RequestAssigned"]);
        assert_eq!(life.case().job().unwrap().attempt, 2);
        assert_eq!(life.does("2026-05-05T13:00:00Z", "RaiseJob", again), [], "they have it");
    }
}

#[test]
fn progress_is_recorded_in_the_council_s_words() {
    let mut life = missed_bin();
    life.does("2026-05-04T10:00:00Z", "AcknowledgeJob", report(1, json!({})));
    assert_eq!(
        life.does("2026-05-04T10:30:00Z", "AcknowledgeJob", report(1, json!({}))),
        [],
        "once is enough"
    );
    let planned = report(1, json!({ "code": "SCHED", "planned_on": "2026-05-06" }));
    let events = life.does("2026-05-04T11:00:00Z", "RecordJobProgress", planned);
    assert!(
        matches!(&events[..], [CaseEvent::JobProgressed(job)] if job.progress.as_str() == "scheduled"),
        "{events:?}"
    );
    assert_eq!(stage(&life), JobStage::UnderWay);
}

#[test]
fn a_report_is_refused_for_a_code_or_a_job_that_is_not_theirs() {
    for (name, put_in) in [
        ("ReportJobDone", json!({ "code": "NOT-OUT" })),
        ("ReportJobFailed", json!({ "code": "COLLECTED" })),
        ("RejectJob", json!({ "code": "BUSY" })),
        ("RecordJobProgress", json!({ "code": "BUSY" })),
    ] {
        let mut life = missed_bin();
        let code = put_in["code"].as_str().unwrap().to_owned();
        let refused = life.tries("2026-05-05T09:00:00Z", name, report(1, put_in.clone()));
        assert_eq!(refused, Err(Rejection::UnknownContractorCode { code }), "{name}");

        life.facts.contractor = Some(schemas::ClientName::new("tree-surgeons").unwrap());
        let refused = life.tries("2026-05-05T09:00:00Z", name, report(1, put_in.clone()));
        assert_eq!(refused, Err(Rejection::NotTheirJob), "{name}");

        let by_resident = json!({ "job": { "number": 1, "attempt": 1 }, "code": put_in["code"] });
        assert_eq!(
            life.tries("2026-05-05T09:00:00Z", name, by_resident),
            Err(Rejection::ActorNotAllowed),
            "{name}"
        );
    }
    let mut life = missed_bin();
    assert_eq!(
        life.tries("2026-05-05T09:00:00Z", "ReportJobDone", done(2)),
        Err(Rejection::UnknownJob)
    );
    let mut second = done(1);
    second["job"]["number"] = json!(2);
    assert_eq!(
        life.tries("2026-05-05T09:00:00Z", "ReportJobDone", second),
        Err(Rejection::UnknownJob)
    );
}

#[test]
fn a_decision_on_something_else_keeps_a_report_from_closing_the_case() {
    let mut life = missed_bin();
    let decided =
        json!({ "outcome": "not-presented", "reasons": "The pictures show no bin.", "rule": "waste-policy-2025:3.2" });
    life.does("2026-05-05T06:00:00Z", "RecordDecision", by_officer(decided));
    let events = life.does("2026-05-05T07:20:00Z", "ReportJobDone", done(1));
    assert_eq!(names(&events), ["JobReportedDone", "RequestAssigned"]);
    let refused = life.tries("2026-05-05T08:00:00Z", "AcceptJob", officer_on(1, "x"));
    assert_eq!(refused, Err(Rejection::NotTheDecidedOutcome));
}
