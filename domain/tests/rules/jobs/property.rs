//! Whatever happens, whoever reads the feed alone knows what the case needs.

use proptest::prelude::*;
use schemas::event::{CaseEvent, JobReopening};
use schemas::query::{CaseStatus, JobStage};
use serde_json::{Value, json};

use super::{officer_on, pothole, report};
use crate::fixtures::*;

/// What residents, officers and the contractor send to a pothole.
fn any_command() -> impl Strategy<Value = (&'static str, Value)> {
    let fixed = |weight: u32, name: &'static str, data: Value| (weight, Just((name, data)).boxed());
    let on = |weight: u32, name: &'static str, make: fn(u32) -> Value| {
        (
            weight,
            (1_u32..5).prop_map(move |attempt| (name, make(attempt))).boxed(),
        )
    };
    let strike = |entry: i64| ("CorrectEntry", by_officer(json!({ "entry": entry, "reason": "wrong" })));
    proptest::strategy::Union::new_weighted(vec![
        fixed(1, "UpdateRequest", json!({ "description": "by the gate" })),
        fixed(1, "UpdateRequest", json!({ "place": { "postcode": "NM4 7QP" } })),
        fixed(1, "AssignRequest", by_officer(json!({ "team": "highways-inspection" }))),
        fixed(1, "CancelRequest", json!({})),
        fixed(
            2,
            "CloseRequest",
            by_officer(json!({ "outcome": "made-safe", "reasons": "seen" })),
        ),
        fixed(
            2,
            "CloseRequest",
            by_officer(json!({ "outcome": "not-ours", "reasons": "seen" })),
        ),
        fixed(4, "ReopenRequest", json!({ "reason": "it is still there" })),
        fixed(2, "RaiseJob", by_officer(json!({ "reason": "again" }))),
        fixed(1, "WithdrawJob", by_officer(json!({ "reason": "ours" }))),
        on(1, "AcknowledgeJob", |attempt| report(attempt, json!({}))),
        on(1, "RecordJobProgress", |attempt| {
            report(attempt, json!({ "code": "ON-SITE" }))
        }),
        on(1, "RejectJob", |attempt| report(attempt, json!({ "code": "NOT-OURS" }))),
        on(1, "ReportJobFailed", |attempt| {
            report(attempt, json!({ "code": "BELOW" }))
        }),
        on(6, "ReportJobDone", |attempt| {
            report(attempt, json!({ "code": "MADE-SAFE" }))
        }),
        on(3, "AcceptJob", |attempt| officer_on(attempt, "seen")),
        on(3, "SendJobBack", |attempt| officer_on(attempt, "loose")),
        (4, (1_i64..30).prop_map(strike).boxed()),
    ])
}

proptest! {
    #[test]
    fn whatever_happens_whoever_delivers_knows_what_the_case_needs(
        commands in proptest::collection::vec((any_command(), 0_i64..40_000, 0_u8..100), 1..60),
    ) {
        let mut life = pothole();
        let mut now = at("2026-05-05T09:00:00Z");
        // The job as somebody knows it who reads the feed alone.
        let (mut attempt, mut theirs) = (1, true);
        for ((name, data), later_s, draw) in commands {
            now = schemas::moment::Instant::new(now.get() + time::Duration::seconds(later_s));
            life.facts.inspection_draw = Some(draw);
            let Ok(events) = life.tries(&now.to_string(), name, data) else { continue };
            for event in &events {
                match event {
                    CaseEvent::JobReopened(job) => {
                        // What they have is taken up again only where it is other work.
                        prop_assert_eq!(theirs, job.why == JobReopening::OtherWork, "{:?}", event);
                        prop_assert_eq!(job.attempt, attempt + 1);
                        (attempt, theirs) = (job.attempt, true);
                    }
                    // Taken back also of what they reported and nobody has accepted.
                    CaseEvent::JobCancelled(_) => theirs = false,
                    CaseEvent::JobChanged(_) => prop_assert!(theirs, "{event:?}"),
                    CaseEvent::JobReportedDone(_) | CaseEvent::JobReportedFailed(_) | CaseEvent::JobRejected(_) => theirs = false,
                    _ => {}
                }
            }
            let (case, job) = (life.case(), life.case().job().unwrap());
            prop_assert_eq!(job.stage.is_with_contractor(), theirs, "after {}: {:?}", name, job);
            let is_open = case.status() == Some(CaseStatus::Open);
            prop_assert!(is_open || !(theirs || job.stage == JobStage::ReportedDone), "after {name}: {job:?}");
            prop_assert!(name != "ReopenRequest" || theirs, "a reopening reaches whoever delivers");
            let runs = case.running_clocks().iter().any(|clock| clock.clock.as_str() == "job_1");
            prop_assert_eq!(runs, theirs, "the contractor's clock after {}", name);
        }
    }
}
