//! `caseledger case statement`: what may be told to somebody whom a case is about. It is put together from what is about them, and so holds
//! nothing of whoever complained: no name, no words of theirs, no place, no day on which they wrote.

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
    for name in ["reference", "about", "found", "grounds"] {
        if let Some(value) = statement.get(name) {
            print::pairs([(name, print::value(value))]);
        }
    }
    let actions = statement["actions"].as_array().into_iter().flatten();
    print::table(
        &["when", "what", "number", "penalty", "why", "note", "what came of it"],
        actions.map(|action| {
            [
                "taken_on",
                "action",
                "notice_number",
                "penalty_pence",
                "reason",
                "note",
                "result",
            ]
            .map(|member| print::value(&action[member]))
            .to_vec()
        }),
    );
    Ok(())
}

/// What is about them; none where the case never was.
fn statement(found: &CaseHistory, subject: CustomerId) -> Result<Option<Value>, Failure> {
    let mut grounds = None;
    let mut incident = Value::Null;
    let mut actions: Vec<(Version, Map<String, Value>)> = Vec::new();
    for entry in &found.timeline {
        match entry.event().map_err(Failure::down)? {
            CaseEvent::SubjectNamed(named) if named.subject == subject => {
                grounds = Some(written(&named.grounds)?);
            }
            CaseEvent::IncidentRecorded(recorded) => {
                incident = json!({ "land": recorded.land, "size": recorded.size });
            }
            CaseEvent::EnforcementActionTaken(taken) if taken.subject == Some(subject) => {
                let action = json!({
                    "action": taken.action, "taken_on": taken.taken_on, "notice_number": taken.notice_number,
                    "penalty_pence": taken.penalty_pence, "note": written(&taken.note)?, "reason": written(&taken.reason)?,
                });
                let Value::Object(action) = action else { continue };
                actions.push((entry.sequence, action));
            }
            CaseEvent::ActionResultRecorded(recorded) => {
                if let Some((_, action)) = actions.iter_mut().find(|(number, _)| *number == recorded.action) {
                    action.insert("result".to_owned(), json!(recorded.result));
                }
            }
            CaseEvent::EntryCorrected(corrected) => actions.retain(|(number, _)| *number != corrected.entry),
            _ => {}
        }
    }
    let Some(grounds) = grounds else { return Ok(None) };
    let directory = environment("CASELEDGER_CATALOGUE_DIR").map(std::path::PathBuf::from);
    let catalogue = registers::catalogue(directory.as_deref())?;
    let about = catalogue.request_type(&found.case.request_type);
    Ok(Some(json!({
        "reference": found.case.reference,
        "about": about.map_or(found.case.request_type.as_str(), |request_type| request_type.title.as_str()),
        "found": incident, "grounds": grounds, "actions": actions.into_iter().map(|(_, action)| action).collect::<Vec<_>>(),
    })))
}

fn written(value: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(Failure::down)
}
