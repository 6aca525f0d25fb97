//! `caseledger case`.

use std::collections::BTreeSet;

use catalogue::london;
use projections::history::{AsOf, Case, CaseHistory, TimelineEntry, case_history, cases_due};
use schemas::clock::Due;
use schemas::command::{CaseRelation, ClockMark};
use schemas::event::CaseEvent;
use schemas::moment::{Day, Instant};
use schemas::query::{AppointmentSummary, AttachmentSummary, CaseQuery, PaymentSummary};
use schemas::{CaseId, CustomerId, Position, QuestionId, Reference, Version};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::in_words::{appointment_in_words, enforcement_in_words, job_in_words, payment_in_words};
use super::opening::Opening;
use super::{operator, statement};
use crate::cli::{By, Case as Call, Reader};
use crate::outcome::Failure;
use crate::print;
use crate::registers;
use crate::settings::environment;

/// Shows a case, or its timeline.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    let pool = operator::listening_pool().await?;
    match call {
        Call::Show { reference, reader } => {
            let found = find(&pool, reference, AsOf::Now).await?;
            show(&pool, found, reader, json).await
        }
        Call::Statement {
            reference,
            subject,
            reader,
        } => {
            let found = find(&pool, reference, AsOf::Now).await?;
            statement::run(&pool, found, CustomerId(*subject), reader, json).await
        }
        Call::Due {
            by,
            service,
            team,
            limit,
        } => {
            let by = by.unwrap_or_else(|| london::day_of(OffsetDateTime::now_utc()));
            let found = cases_due(&pool, by, service.as_deref(), team.as_deref(), *limit).await;
            due(&found.map_err(Failure::down)?, json);
            Ok(())
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

/// The case as it is now.
pub async fn find_now(pool: &PgPool, named: &str) -> Result<CaseHistory, Failure> {
    find(pool, named, AsOf::Now).await
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
    let folded = folded(&found)?;
    let (clocks, links) = (clocks(&found, &folded)?, links(&folded));
    let job = folded.job();
    let files: Vec<AttachmentSummary> = folded.attachments().collect();
    let payments: Vec<PaymentSummary> = folded.payments().collect();
    let appointments: Vec<AppointmentSummary> = folded.appointments().collect();
    let repeats: Vec<CaseId> = folded.possible_duplicates().collect();
    let enforcement = folded.enforcement();
    let located = located(&found)?;
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
            "catalogue_version": case.catalogue_version, "clocks": clocks, "job": job, "appointments": appointments, "attachments": files, "payments": payments,
            "located": located, "enforcement": enforcement, "possible_duplicates": repeats,
            "links": links.iter().map(|(relation, other)| json!({ "relation": relation, "case_id": other })).collect::<Vec<_>>(),
        });
        if let (Some(document), Value::Object(personal)) = (document.as_object_mut(), personal) {
            document.extend(personal);
        }
        print::json(&document);
        return Ok(());
    }
    let told = |links: &[(&str, CaseId)]| {
        let links = links
            .iter()
            .map(|(relation, other)| format!("{} {other}", relation.replace('_', " ")));
        links.collect::<Vec<_>>().join(", ")
    };
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
        ("job", or_dash(job.as_ref().map(job_in_words))),
        (
            "appointments",
            or_dash((!appointments.is_empty()).then(|| {
                let words = appointments.iter().map(appointment_in_words);
                words.collect::<Vec<_>>().join("; ")
            })),
        ),
        (
            "files",
            or_dash((!files.is_empty()).then(|| {
                let words = files.iter().map(|file| {
                    format!(
                        "{} {} ({}, {} bytes)",
                        file.id,
                        file.purpose.as_str(),
                        file.media_type.as_str(),
                        file.bytes
                    )
                });
                words.collect::<Vec<_>>().join("; ")
            })),
        ),
        (
            "payments",
            or_dash(
                (!payments.is_empty()).then(|| payments.iter().map(payment_in_words).collect::<Vec<_>>().join("; ")),
            ),
        ),
        (
            "due",
            or_dash((!clocks.is_empty()).then(|| clocks.iter().map(in_words).collect::<Vec<_>>().join(", "))),
        ),
        ("enforcement", or_dash(enforcement.as_ref().map(enforcement_in_words))),
        ("may repeat", or_dash(quoted(&found, &repeats)?)),
        ("links", or_dash((!links.is_empty()).then(|| told(&links)))),
        ("version", format!("{} (position {})", case.version, case.position)),
        ("areas", or_dash((!located.is_null()).then(|| areas(&located)))),
        ("description", print::value(&personal["description"])),
        ("place", print::value(&personal["place"])),
    ]);
    for (question, answer) in personal["answers"].as_object().into_iter().flatten() {
        print::pairs([(question.as_str(), print::value(answer))]);
    }
    Ok(())
}

/// The references of the cases that it may repeat, as its events have them; none where there are none.
fn quoted(found: &CaseHistory, repeats: &[CaseId]) -> Result<Option<String>, Failure> {
    let mut references = Vec::new();
    for entry in &found.timeline {
        if let CaseEvent::DuplicatesSuggested(suggested) = entry.event().map_err(Failure::down)? {
            // The last say holds: it was looked for again where the place was told anew.
            references = suggested.cases;
        }
    }
    references.retain(|other| repeats.contains(&other.case_id));
    let references: Vec<String> = references.iter().map(|other| other.reference.to_string()).collect();
    Ok((!references.is_empty()).then(|| references.join(", ")))
}

/// In which areas its place is, as its events have it; null where that is not known.
fn located(found: &CaseHistory) -> Result<Value, Failure> {
    let mut located = None;
    for entry in &found.timeline {
        match entry.event().map_err(Failure::down)? {
            CaseEvent::RequestSubmitted(event) => located = event.located,
            CaseEvent::RequestUpdated(event) if event.place.is_some() => located = event.located,
            _ => {}
        }
    }
    serde_json::to_value(located).map_err(Failure::down)
}

/// Lists cases by when they are due.
fn due(cases: &[Case], json: bool) {
    let running = |case: &Case| -> Vec<String> {
        let clocks = case.clocks.iter().filter(|(_, clock)| clock.runs);
        let shown = clocks.map(|(name, clock)| {
            let overdue = clock.said.contains(&ClockMark::Overdue);
            format!("{} ({name}{})", clock.due, if overdue { ", overdue" } else { "" })
        });
        shown.collect()
    };
    if cases.is_empty() {
        print::aside("nothing is due by that day");
        return;
    }
    if json {
        for case in cases {
            print::json(&json!({
                "reference": case.reference, "id": case.id, "request_type": case.request_type, "service": case.service,
                "team": case.team, "officer": case.officer, "received_on": case.received_on, "due_on": case.due_on(),
                "clocks": case.clocks,
            }));
        }
        return;
    }
    print::table(
        &["due", "reference", "request type", "with", "received", "clocks"],
        cases.iter().map(|case| {
            let officer = case
                .officer
                .as_ref()
                .map(|officer| format!(", {officer}"))
                .unwrap_or_default();
            vec![
                case.due_on().map(|day| day.to_string()).unwrap_or_default(),
                case.reference.to_string(),
                case.request_type.to_string(),
                format!("{}{officer}", case.team),
                case.received_on.to_string(),
                running(case).join(", "),
            ]
        }),
    );
}

/// A clock of a case, as it is shown.
#[derive(Serialize)]
struct ShownClock {
    clock: QuestionId,
    is_target: bool,
    due: Due,
    /// From when on it is near.
    near_on: Option<Day>,
    /// What was said of this day so far.
    said: Vec<ClockMark>,
    runs: bool,
    ended_at: Option<Instant>,
    ended_on: Option<Day>,
    in_time: Option<bool>,
    /// Why it is due then; empty where that can't be worked out again.
    explanation: Vec<String>,
}

/// The case as the rules see it.
fn folded(found: &CaseHistory) -> Result<domain::Case, Failure> {
    let mut case = domain::Case::default();
    for entry in &found.timeline {
        case.apply_at(&entry.event().map_err(Failure::down)?, entry.occurred_at);
    }
    Ok(case)
}

/// The case before it, and those that it is linked to: what it is to each.
fn links(case: &domain::Case) -> Vec<(&'static str, CaseId)> {
    let follows = case.opened().and_then(|opened| opened.follows);
    let follows = follows.map(|earlier| (CaseRelation::StageOf.as_str(), earlier));
    let linked = case.links().map(|(relation, other)| (relation.as_str(), other));
    follows.into_iter().chain(linked).collect()
}

/// Its clocks, as its events tell them. Why, is worked out for those that run, where its type is still there.
fn clocks(found: &CaseHistory, case: &domain::Case) -> Result<Vec<ShownClock>, Failure> {
    let directory = environment("CASELEDGER_CATALOGUE_DIR").map(std::path::PathBuf::from);
    let catalogue = registers::catalogue(directory.as_deref())?;
    let request_type = catalogue.request_type(&found.case.request_type);
    let file = |name| environment(name).map(std::path::PathBuf::from);
    let (holidays, clocks) = (file("CASELEDGER_BANK_HOLIDAYS_FILE"), file("CASELEDGER_CLOCKS_FILE"));
    let files = registers::clock_files(holidays.as_deref(), clocks.as_deref())?;
    let shown = case.clocks().map(|(name, clock)| {
        let answer = request_type.filter(|_| clock.runs);
        let answer = answer.and_then(|request_type| case.explain(&files, request_type, name));
        let mut explanation = answer
            .as_ref()
            .map_or_else(Vec::new, |answer| answer.explanation.clone());
        if answer.is_some_and(|answer| answer.due != clock.due) {
            explanation.push(format!("{} was told before, and stays.", clock.due));
        }
        ShownClock {
            clock: name.clone(),
            is_target: clock.target,
            due: clock.due,
            near_on: clock.near_on,
            said: clock.said.clone(),
            runs: clock.runs,
            ended_at: clock.ended_at,
            ended_on: clock
                .ended_on
                .or_else(|| clock.ended_at.map(|at| london::day_of(at.get()))),
            in_time: domain::in_time(clock),
            explanation,
        }
    });
    Ok(shown.collect())
}

fn in_words(clock: &ShownClock) -> String {
    let overdue = clock.said.contains(&ClockMark::Overdue);
    let state = match (clock.runs, clock.ended_on, clock.in_time) {
        (true, ..) if overdue => ", overdue".to_owned(),
        (true, ..) if clock.said.contains(&ClockMark::Approaching) => ", near".to_owned(),
        (true, ..) => String::new(),
        (false, Some(on), Some(true)) => format!(", ended in time on {on}"),
        (false, Some(on), Some(false)) => format!(", ended late on {on}"),
        (false, Some(on), None) => format!(", ended on {on}"),
        (false, None, _) => ", ended".to_owned(),
    };
    let target = if clock.is_target { ", a target" } else { "" };
    format!("{} ({}{target}{state})", clock.due, clock.clock)
}

async fn history(pool: &PgPool, found: CaseHistory, reader: &Reader, json: bool) -> Result<(), Failure> {
    let payload = |entry: &TimelineEntry| serde_json::from_str(&entry.payload).map_err(Failure::down);
    let mut payloads = found.timeline.iter().map(payload).collect::<Result<Vec<Value>, _>>()?;
    Opening::of(reader, pool)?
        .apply(found.case.id.into(), &mut payloads)
        .await?;
    let struck_out = struck_out(&payloads);
    let entries = found.timeline.iter().zip(&payloads);
    if json {
        for (entry, payload) in entries {
            print::json(&json!({
                "position": entry.position, "sequence": entry.sequence, "event": entry.event_type, "event_id": entry.event_id,
                "command_id": entry.command_id, "occurred_at": entry.occurred_at, "recorded_at": entry.recorded_at,
                "struck_out": struck_out.contains(&entry.sequence), "client": entry.client, "actor": { "kind": entry.actor_kind, "id": entry.actor_id, "assurance": entry.actor_assurance },
                "on_behalf_of": entry.on_behalf_of, "channel": entry.channel, "payload": payload,
                "metadata": serde_json::from_str::<Value>(&entry.metadata).map_err(Failure::down)?,
            }));
        }
        return Ok(());
    }
    print::line(format!("{}  {}", found.case.reference, found.case.request_type));
    print::table(
        &["no.", "position", "happened", "recorded", "what", "who", "by", "detail"],
        entries.map(|(entry, payload)| {
            let who = entry.actor_id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            let for_whom = entry
                .on_behalf_of
                .as_ref()
                .map(|id| format!(" for {id}"))
                .unwrap_or_default();
            let struck = struck_out.contains(&entry.sequence);
            vec![
                entry.sequence.to_string(),
                entry.position.to_string(),
                entry.occurred_at.to_string(),
                entry.recorded_at.to_string(),
                format!("{}{}", entry.event_type, if struck { " (struck out)" } else { "" }),
                format!("{}{who}{for_whom}", entry.actor_kind),
                format!("{}, {}", entry.channel, entry.client),
                detail(payload),
            ]
        }),
    );
    Ok(())
}

/// The entries that corrections among these struck out, by their numbers.
fn struck_out(payloads: &[Value]) -> BTreeSet<Version> {
    let corrections = payloads.iter().filter(|payload| payload["event"] == "EntryCorrected");
    corrections
        .filter_map(|payload| payload["entry"].as_i64().map(Version))
        .collect()
}

/// A payload in one cell: what is not obvious from the event's name.
fn detail(payload: &Value) -> String {
    const SHOWN_ELSEWHERE: [&str; 5] = ["event", "reference", "request_type", "service", "catalogue_version"];
    let members: Map<String, Value> = payload.as_object().cloned().unwrap_or_default();
    let told = members
        .iter()
        .filter(|(name, value)| !SHOWN_ELSEWHERE.contains(&name.as_str()) && !value.is_null());
    told.map(|(name, value)| match name.as_str() {
        "clocks" => format!("{name}: {}", by_when(value)),
        "located" => format!("{name}: {}", areas(value)),
        _ => format!("{name}: {}", print::value(value)),
    })
    .collect::<Vec<_>>()
    .join("; ")
}

/// The areas that a place is in, by their codes. The boundaries are in `--json`.
fn areas(located: &Value) -> String {
    let codes = ["ward", "statistical_area"].map(|area| located[area]["code"].as_str());
    codes.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The clocks that an event lists: by when each is due. The rest of them is in `--json`.
fn by_when(clocks: &Value) -> String {
    let each = clocks.as_array().into_iter().flatten();
    each.map(|clock| format!("{} {}", print::value(&clock["clock"]), print::value(&clock["due"])))
        .collect::<Vec<_>>()
        .join(", ")
}
