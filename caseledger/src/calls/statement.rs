//! `caseledger case statement`: what may be told to somebody whom a case is about. It is put together from what is about them, and so holds
//! nothing of whoever complained: no name, no words of theirs, no place, no day on which they wrote, and not the case's reference, by which
//! a website tells more. What an officer wrote for the council alone (grounds, reasons) is not in it either.

use catalogue::london;
use projections::history::CaseHistory;
use schemas::event::CaseEvent;
use schemas::{CustomerId, Version};
use serde_json::{Map, Value, json};
use sqlx::PgPool;

use super::opening::Opening;
use crate::cli::Reader;
use crate::outcome::Failure;
use crate::print;
use crate::registers;
use crate::settings::environment;

/// Prints it. What is sealed for them is opened for an officer who says why.
pub async fn run(
    pool: &PgPool,
    found: CaseHistory,
    subject: CustomerId,
    reader: &Reader,
    json: bool,
) -> Result<(), Failure> {
    let mut statement = statement(&found, subject)?.ok_or_else(|| {
        print::aside(format!("{} is not about this customer", found.case.reference));
        Failure::No
    })?;
    Opening::of(reader, pool)?
        .apply(found.case.id.into(), std::slice::from_mut(&mut statement))
        .await?;
    if json {
        print::json(&statement);
        return Ok(());
    }
    for name in ["about", "found", "told", "cleared"] {
        if let Some(value) = statement.get(name).filter(|value| !value.is_null()) {
            print::pairs([(name, print::value(value))]);
        }
    }
    let actions = statement["actions"].as_array().into_iter().flatten();
    print::table(
        &[
            "when",
            "what",
            "number",
            "penalty",
            "note",
            "what came of it",
            "on",
            "sum",
        ],
        actions.map(|action| {
            let said = |member: &str| print::value(&action[member]);
            vec![
                said("taken_on"),
                said("action"),
                said("notice_number"),
                pounds(&action["penalty_pence"]),
                said("note"),
                said("result"),
                said("result_on"),
                pounds(&action["result_pence"]),
            ]
        }),
    );
    Ok(())
}

/// What is about them; none where the case never was.
fn statement(found: &CaseHistory, subject: CustomerId) -> Result<Option<Value>, Failure> {
    let (mut named, mut cleared) = (false, Value::Null);
    let mut told: Vec<Value> = Vec::new();
    let mut incident = Value::Null;
    let mut actions: Vec<(Version, Map<String, Value>)> = Vec::new();
    for entry in &found.timeline {
        match entry.event().map_err(Failure::down)? {
            CaseEvent::SubjectNamed(event) if event.subject == subject => {
                (named, cleared) = (true, Value::Null);
                told.extend(event.told.as_ref().map(written).transpose()?);
            }
            CaseEvent::SubjectCleared(event) if event.subject == subject => {
                cleared = json!(london::day_of(entry.occurred_at.get()));
            }
            CaseEvent::IncidentRecorded(recorded) => {
                incident = json!({ "land": recorded.land, "size": recorded.size });
            }
            CaseEvent::EnforcementActionTaken(taken) if taken.subject == Some(subject) => {
                let action = json!({
                    "action": taken.action, "taken_on": taken.taken_on, "notice_number": written(&taken.notice_number)?,
                    "penalty_pence": taken.penalty_pence, "note": written(&taken.note)?,
                });
                let Value::Object(action) = action else { continue };
                actions.push((entry.sequence, action));
            }
            CaseEvent::ActionResultRecorded(recorded) => {
                if let Some((_, action)) = actions.iter_mut().find(|(number, _)| *number == recorded.action) {
                    action.insert("result".to_owned(), json!(recorded.result));
                    action.insert("result_on".to_owned(), json!(recorded.on));
                    action.insert("result_pence".to_owned(), json!(recorded.pence));
                }
            }
            CaseEvent::EntryCorrected(corrected) => actions.retain(|(number, _)| *number != corrected.entry),
            _ => {}
        }
    }
    if !named {
        return Ok(None);
    }
    let directory = environment("CASELEDGER_CATALOGUE_DIR").map(std::path::PathBuf::from);
    let catalogue = registers::catalogue(directory.as_deref())?;
    let about = catalogue.request_type(&found.case.request_type);
    Ok(Some(json!({
        "about": about.map_or(found.case.request_type.as_str(), |request_type| request_type.title.as_str()),
        "found": incident, "told": told, "cleared": cleared, "actions": actions.into_iter().map(|(_, action)| action).collect::<Vec<_>>(),
    })))
}

/// A sum for people; a dash where there is none.
fn pounds(pence: &Value) -> String {
    pence.as_u64().map_or_else(
        || print::value(pence),
        |pence| format!("£{}.{:02}", pence / 100, pence % 100),
    )
}

fn written(value: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(Failure::down)
}
