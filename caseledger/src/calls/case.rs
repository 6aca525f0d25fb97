//! `caseledger case`.

use domain::clock::{self, CaseClock, ClockRules};
use projections::history::{AsOf, CaseHistory, TimelineEntry, case_history};
use schemas::query::CaseQuery;
use schemas::{CaseId, Position, Reference};
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::opening::Opening;
use super::operator;
use crate::cli::{By, Case as Call, Reader};
use crate::outcome::Failure;
use crate::print;
use crate::registers;
use crate::settings::environment;

/// Shows a case, or its timeline.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    let pool = operator::pool()?;
    match call {
        Call::Show { reference, reader } => {
            let found = find(&pool, reference, AsOf::Now).await?;
            show(&pool, found, reader, json).await
        }
        Call::History {
            reference,
            as_of,
            reader,
        } => {
            let as_of = match (as_of.at_position, as_of.as_of, as_of.by) {
                (Some(position), ..) => AsOf::Position(Position(position)),
                (None, Some(time), By::Recorded) => AsOf::Recorded(time),
                (None, Some(time), By::Occurred) => AsOf::Occurred(time),
                (None, None, _) => AsOf::Now,
            };
            let found = find(&pool, reference, as_of).await?;
            history(&pool, found, reader, json).await
        }
    }
}

async fn find(pool: &PgPool, named: &str, as_of: AsOf) -> Result<CaseHistory, Failure> {
    let query = match named.parse::<Uuid>() {
        Ok(id) => CaseQuery::Id(CaseId(id)),
        Err(_) => CaseQuery::Reference(named.parse::<Reference>().map_err(Failure::usage)?),
    };
    case_history(pool, &query, as_of)
        .await
        .map_err(Failure::down)?
        .ok_or_else(|| {
            let then = if as_of == AsOf::Now { "" } else { " at that point" };
            print::aside(format!("there is no case {named}{then}"));
            Failure::No
        })
}

async fn show(pool: &PgPool, found: CaseHistory, reader: &Reader, json: bool) -> Result<(), Failure> {
    let case = &found.case;
    let clocks = clocks(&found)?;
    let mut personal = json!({ "description": case.description, "place": case.place, "answers": case.answers });
    Opening::of(reader, pool)?
        .apply(case.id.into(), std::slice::from_mut(&mut personal))
        .await?;
    if json {
        let mut document = json!({
            "id": case.id, "reference": case.reference, "service": case.service, "request_type": case.request_type,
            "status": case.status, "outcome": case.outcome, "team": case.team, "officer": case.officer,
            "customer_id": case.customer_id, "received_on": case.received_on, "opened_at": case.opened_at,
            "closed_at": case.closed_at, "waiting_for": case.waiting_for, "reopened": case.reopened, "version": case.version, "position": case.position,
            "catalogue_version": case.catalogue_version, "clocks": clocks,
        });
        if let (Some(document), Value::Object(personal)) = (document.as_object_mut(), personal) {
            document.extend(personal);
        }
        print::json(&document);
        return Ok(());
    }
    let waiting_for: Vec<&str> = case.waiting_for.iter().map(|wanted| wanted.as_str()).collect();
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    print::pairs([
        ("reference", case.reference.to_string()),
        ("id", case.id.to_string()),
        ("request type", format!("{} ({})", case.request_type, case.service)),
        ("status", case.status.as_str().to_owned()),
        ("outcome", or_dash(case.outcome.as_ref().map(ToString::to_string))),
        (
            "with",
            format!(
                "{}{}",
                case.team,
                case.officer
                    .as_ref()
                    .map(|officer| format!(", {officer}"))
                    .unwrap_or_default()
            ),
        ),
        ("customer", or_dash(case.customer_id.map(|id| id.to_string()))),
        ("received on", case.received_on.to_string()),
        ("closed at", or_dash(case.closed_at.map(|at| at.to_string()))),
        (
            "waiting for",
            or_dash((!waiting_for.is_empty()).then(|| waiting_for.join(", "))),
        ),
        ("reopened", case.reopened.to_string()),
        (
            "due",
            or_dash((!clocks.is_empty()).then(|| clocks.iter().map(in_words).collect::<Vec<_>>().join(", "))),
        ),
        ("version", format!("{} (position {})", case.version, case.position)),
        ("description", text(&personal["description"])),
        ("place", text(&personal["place"])),
    ]);
    for (question, answer) in personal["answers"].as_object().into_iter().flatten() {
        print::pairs([(question.as_str(), text(answer))]);
    }
    Ok(())
}

/// The clocks that run on a case whose type the catalogue still has.
fn clocks(found: &CaseHistory) -> Result<Vec<CaseClock>, Failure> {
    let directory = environment("CASELEDGER_CATALOGUE_DIR").map(std::path::PathBuf::from);
    let catalogue = registers::catalogue(directory.as_deref())?;
    let Some(request_type) = catalogue.request_type(&found.case.request_type) else {
        return Ok(Vec::new());
    };
    let file = |name| environment(name).map(std::path::PathBuf::from);
    let (holidays, clocks) = (file("CASELEDGER_BANK_HOLIDAYS_FILE"), file("CASELEDGER_CLOCKS_FILE"));
    let (holidays, policies) = registers::clock_files(holidays.as_deref(), clocks.as_deref())?;
    let rules = ClockRules {
        policies: &policies,
        holidays: &holidays,
    };
    let mut events = Vec::with_capacity(found.timeline.len());
    for entry in &found.timeline {
        events.push((entry.event().map_err(Failure::down)?, entry.occurred_at));
    }
    let worked_out = clock::of_case(rules, request_type, events.iter().map(|(event, at)| (event, *at)));
    // The case itself can be shown all the same.
    Ok(worked_out.unwrap_or_else(|error| {
        print::aside(format!("its clocks can't be worked out: {error}"));
        Vec::new()
    }))
}

fn in_words(clock: &CaseClock) -> String {
    let ended = match (clock.ended_on, clock.in_time()) {
        (Some(on), Some(true)) => format!(", ended in time on {on}"),
        (Some(on), Some(false)) => format!(", ended late on {on}"),
        (Some(on), None) => format!(", ended on {on}"),
        (None, _) => String::new(),
    };
    let target = if clock.is_target { ", a target" } else { "" };
    format!("{} ({}{target}{ended})", clock.answer.due, clock.clock)
}

async fn history(pool: &PgPool, found: CaseHistory, reader: &Reader, json: bool) -> Result<(), Failure> {
    let payload = |entry: &TimelineEntry| serde_json::from_str(&entry.payload).map_err(Failure::down);
    let mut payloads = found.timeline.iter().map(payload).collect::<Result<Vec<Value>, _>>()?;
    Opening::of(reader, pool)?
        .apply(found.case.id.into(), &mut payloads)
        .await?;
    let entries = found.timeline.iter().zip(&payloads);
    if json {
        for (entry, payload) in entries {
            print::json(&json!({
                "position": entry.position, "sequence": entry.sequence, "event": entry.event_type, "event_id": entry.event_id,
                "command_id": entry.command_id, "occurred_at": entry.occurred_at, "recorded_at": entry.recorded_at,
                "client": entry.client, "actor": { "kind": entry.actor_kind, "id": entry.actor_id, "assurance": entry.actor_assurance },
                "on_behalf_of": entry.on_behalf_of, "channel": entry.channel, "payload": payload,
                "metadata": serde_json::from_str::<Value>(&entry.metadata).map_err(Failure::down)?,
            }));
        }
        return Ok(());
    }
    print::line(format!("{}  {}", found.case.reference, found.case.request_type));
    print::table(
        &["position", "happened", "recorded", "what", "who", "by", "detail"],
        entries.map(|(entry, payload)| {
            let who = entry.actor_id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            vec![
                entry.position.to_string(),
                entry.occurred_at.to_string(),
                entry.recorded_at.to_string(),
                entry.event_type.clone(),
                format!("{}{who}", entry.actor_kind),
                format!("{}, {}", entry.channel, entry.client),
                detail(payload),
            ]
        }),
    );
    Ok(())
}

/// A payload in one cell: what is not obvious from the event's name.
fn detail(payload: &Value) -> String {
    const SHOWN_ELSEWHERE: [&str; 5] = ["event", "reference", "request_type", "service", "catalogue_version"];
    let members: Map<String, Value> = payload.as_object().cloned().unwrap_or_default();
    let told = members
        .iter()
        .filter(|(name, value)| !SHOWN_ELSEWHERE.contains(&name.as_str()) && !value.is_null());
    told.map(|(name, value)| format!("{name}: {}", text(value)))
        .collect::<Vec<_>>()
        .join("; ")
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name} {}", text(value)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
