//! The notifier: how many notices a second it decides and writes into a folder, and how many their cases then know of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use schemas::AggregateId;
use serde_json::{Value, json};
use system_tests::TestPostgres;
use uuid::Uuid;

use crate::contenders::Ours;
use crate::contenders::ours::{accepted, request, submission_data};
use crate::figures::Figure;

/// How many people have cases.
const CUSTOMERS: usize = 100;

/// How many commands are on their way at once while cases are brought.
const AT_ONCE: usize = 64;

/// How often it is looked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long everything may take.
const LONGEST: Duration = Duration::from_secs(600);

/// Measures a notifier that finds so many cases whose customers are to be told. Counted from the first notice that is
/// decided, so that the start of a process and its reading of the log are left out.
///
/// # Errors
/// A sentence on what failed.
pub async fn measure(postgres: &Arc<TestPostgres>, notices: usize) -> Result<Vec<Figure>, String> {
    let ours = Ours::set_up(postgres, 0).await?;
    bring_cases(&ours, notices).await?;
    let answering = ours.serve_command_service().await?;
    let notifier = ours.council.serve("notifier");
    let figures = follow(&ours, notices as i64).await?;
    drop((notifier, answering));
    ours.let_go().await;
    Ok(figures)
}

async fn bring_cases(ours: &Ours, cases: usize) -> Result<(), String> {
    let service = ours.service();
    let mut customers: Vec<AggregateId> = Vec::new();
    for number in 0..CUSTOMERS.min(cases.max(1)) {
        let registered = request("RegisterCustomer", Uuid::new_v4(), None, &customer(number));
        let id = accepted(service.call(&registered).await)?.aggregate_id;
        let consent = request("RecordConsent", Uuid::new_v4(), Some(id), &consent());
        accepted(service.call(&consent).await)?;
        customers.push(id);
    }
    let submissions = (0..cases).map(|case| {
        let mut data = submission_data(case);
        data["customer_id"] = json!(customers[case % customers.len()]);
        async move {
            let submission = request("SubmitRequest", Uuid::new_v4(), None, &data);
            accepted(service.call(&submission).await).map(drop)
        }
    });
    futures::stream::iter(submissions)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

fn customer(number: usize) -> Value {
    json!({
        "name": format!("Resident {number}"), "email": format!("resident-{number}@example.org"), "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" }, "notice_version": "2026-04",
    })
}

fn consent() -> Value {
    json!({
        "purpose": "email_updates", "wording": "We will send you emails about your requests.", "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" }, "notice_version": "2026-04",
    })
}

/// Looks until every notice is decided and recorded on its case.
async fn follow(ours: &Ours, notices: i64) -> Result<Vec<Figure>, String> {
    let deadline = Instant::now() + LONGEST;
    let (mut first, mut all_decided) = (None, None);
    while Instant::now() < deadline {
        let (decided, recorded): (i64, i64) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE state <> 'pending'), count(recorded) FROM notifier.deliveries",
        )
        .fetch_one(&ours.owner)
        .await
        .map_err(|error| error.to_string())?;
        let now = Instant::now();
        if decided > 0 {
            let (began, before, recorded_before) = *first.get_or_insert((now, decided, recorded));
            let rate = |count: i64| count as f64 / now.duration_since(began).max(LOOK_EVERY).as_secs_f64();
            if decided == notices && all_decided.is_none() {
                all_decided = Some(rate(decided - before));
            }
            if let (Some(decided), true) = (all_decided, recorded == notices) {
                let figure = |what, rate| Figure::new("notifier", what, "notices/s", vec![rate]);
                return Ok(vec![
                    figure("decided and sent", decided),
                    figure("recorded on their cases", rate(recorded - recorded_before)),
                ]);
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err("not every notice was decided in time".to_owned())
}
