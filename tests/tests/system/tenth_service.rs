//! A tenth service is a file, and no code.

use schemas::query::{CaseAnswer, CaseQuery};
use serde_json::{Value, json};
use system_tests::council::PATIENCE;
use system_tests::{Council, eventually};

const ALLOTMENTS: &str = r#"
name = "allotments"
prefix = "ALL"
title = "Allotments"

[[team]]
name = "allotment-wardens"
title = "Allotment wardens"

[[request_type]]
code = "allotment-plot"
title = "Allotment plot"
class = "application"
reporting_code = "ALLOTMENTS-PLOT"
anonymous = true
channels = ["online", "phone"]
purpose = "to let plots to those who want to garden"
legal_basis = "contract"
delivery = { team = "allotment-wardens", by = "in_house" }
deciding_teams = ["contact-centre"]
next_steps = "You are on the list. We write when a plot is free."
reopening = { days = 28, successor = "allotment-plot" }
retention = { years = 2, from = "closing" }
notices = { RequestSubmitted = "request_received" }

[[request_type.target]]
id = "answer"
from = 2026-04-01
unit = "working_days"
amount = 10

[[request_type.question]]
id = "size"
label = "Which size?"
kind = "choice"
sensitivity = "open"
required = true
choices = [{ value = "half", label = "Half a plot" }, { value = "whole", label = "A whole plot" }]

[[request_type.outcome]]
code = "let"
title = "Let"
kind = "decision"
words = "We let the plot to you."
"#;

async fn asked(
    council: &Council,
    contact_centre: &bus::BusClient,
    name: &str,
    case: schemas::AggregateId,
    data: Value,
) {
    council.accept(contact_centre, name, Some(case), data).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenth_service_lives_from_a_file_alone() {
    let mut council = Council::new().await;
    council.add_service("allotments", ALLOTMENTS);
    let _services = council.serve_all().await;
    let contact_centre = council.client("contact-centre").await;
    let resident = json!({ "kind": "resident", "assurance": "none" });
    let officer = json!({ "kind": "officer", "id": "j.okafor", "assurance": "signed_in" });

    let submission = json!({
        "request_type": "allotment-plot", "answers": { "size": "half" }, "actor": resident, "channel": "online",
    });
    let case = council.accept(&contact_centre, "SubmitRequest", None, submission).await;
    let reference = case.reference.clone().unwrap();
    assert!(reference.as_str().starts_with("ALL-"), "{reference}");
    let id = case.aggregate_id;
    let assign =
        json!({ "team": "allotment-wardens", "reason": "They keep the list.", "actor": officer, "channel": "phone" });
    asked(&council, &contact_centre, "AssignRequest", id, assign).await;
    let close = json!({
        "outcome": "let", "decided_by": { "kind": "officer", "id": "j.okafor" }, "reasons": "Plot 7 is free.",
        "actor": officer, "channel": "phone",
    });
    asked(&council, &contact_centre, "CloseRequest", id, close.clone()).await;
    let reopen = json!({ "reason": "The plot is flooded.", "actor": resident, "channel": "phone" });
    asked(&council, &contact_centre, "ReopenRequest", id, reopen).await;
    asked(&council, &contact_centre, "CloseRequest", id, close).await;

    let reader = council.owner().await;
    let reported = "SELECT (service, request_type, class, outcome, times_reopened)::text FROM reporting.requests";
    let row = eventually("the reports have it", PATIENCE, || async {
        let row: Option<String> = sqlx::query_scalar(reported).fetch_optional(&reader).await.unwrap();
        row.filter(|row| row.contains(",let,1"))
    })
    .await;
    assert_eq!(row, "(allotments,ALLOTMENTS-PLOT,application,let,1)");
    let answer = contact_centre.case(&CaseQuery::Reference(reference)).await.unwrap();
    assert!(matches!(answer, CaseAnswer::Found { case } if case.service.as_str() == "allotments"));
}
