//! The demo cases: sent once, through the bus, as the council's own clients would send them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use bus::{BusClient, Outgoing};
use catalogue::calendar::BankHolidays;
use catalogue::{Catalogue, london};
use futures::{StreamExt, TryStreamExt, stream};
use schemas::command::Slot;
use schemas::moment::Instant;
use schemas::result::{Accepted, CommandResult, CommandStatus};
use schemas::{AggregateId, CommandId, RequestTypeCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::Duration;
use uuid::Uuid;

use super::home::{CONTRACTOR, Home, PAYMENTS};
use super::now;
use super::platform::Platform;
use crate::outcome::Failure;
use crate::registers;
use crate::servers::{DataDir, write_private};

/// The demo council's people and cases.
const CASES: &str = include_str!("../../demo/cases.toml");

/// How many cases are on their way at once.
const AT_ONCE: usize = 8;

/// What was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// How many cases there are.
    pub cases: usize,
    /// Whether an earlier start had sent them.
    pub before: bool,
    /// The reference of one that was reopened.
    pub reopened: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Demo {
    person: Vec<Person>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    key: String,
    title: String,
    name: String,
    lines: Vec<String>,
    postcode: String,
    phone: String,
    /// Whether they want updates by email.
    emails: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    request_type: String,
    person: Option<String>,
    channel: String,
    /// When it came. 0 is now: only what happens from the first start on sends notices.
    days_ago: i64,
    description: String,
    place: Option<Map<String, Value>>,
    #[serde(default)]
    answers: Map<String, Value>,
    #[serde(default)]
    steps: Vec<Step>,
}

/// A later command to a case.
#[derive(Deserialize)]
struct Step {
    command: String,
    after_days: i64,
    /// The officer who acts.
    officer: Option<String>,
    /// Of what the contractor reports: the attempt that it is about.
    attempt: Option<u32>,
    /// Of what a system of the council's says: its client.
    client: Option<String>,
    /// Of what is booked: the first slot of the type's calendar so many days from the first start or later.
    slot_in_days: Option<i64>,
    #[serde(flatten)]
    data: Map<String, Value>,
}

/// The clients, and the day that all others are counted from.
struct Sender {
    website: BusClient,
    contact_centre: BusClient,
    contractor: BusClient,
    payments: BusClient,
    since: Instant,
    catalogue: Arc<Catalogue>,
    holidays: BankHolidays,
}

/// Sends what is not sent yet.
///
/// Every start sends the same bytes under the same ids, so that a start that was broken off can be made good. What the data
/// says of time counts from the first start, which is kept in a file.
pub async fn send(data: &DataDir, home: &Home, platform: &Platform) -> Result<Sent, Failure> {
    let demo: Demo = toml::from_str(CASES).map_err(Failure::down)?;
    let done = data.path().join("config/demo-sent");
    if let Ok(reference) = std::fs::read_to_string(&done) {
        return Ok(Sent {
            cases: demo.case.len(),
            before: true,
            reopened: Some(reference.trim().to_owned()),
        });
    }
    let sender = Sender {
        website: home.connect(platform, "website").await?,
        contact_centre: home.connect(platform, "contact-centre").await?,
        contractor: home.connect(platform, CONTRACTOR).await?,
        payments: home.connect(platform, PAYMENTS).await?,
        since: since(data)?,
        catalogue: Arc::new(registers::catalogue(None)?),
        holidays: registers::clock_files(None, None)?.holidays,
    };
    let people = stream::iter(&demo.person).map(|person| sender.register(person));
    let people: HashMap<&str, AggregateId> = people.buffer_unordered(AT_ONCE).try_collect().await?;
    let cases = stream::iter(demo.case.iter().enumerate()).map(|(number, case)| sender.submit(number, case, &people));
    let references: Vec<String> = cases.buffered(AT_ONCE).try_collect().await?;
    let is_reopened = |case: &Case| case.steps.iter().any(|step| step.command == "ReopenRequest");
    let reopened = demo
        .case
        .iter()
        .position(is_reopened)
        .and_then(|number| references.get(number).cloned());
    write_private(&done, reopened.as_deref().unwrap_or_default()).map_err(Failure::down)?;
    Ok(Sent {
        cases: references.len(),
        before: false,
        reopened,
    })
}

/// The day that the data's times count from: the first start.
fn since(data: &DataDir) -> Result<Instant, Failure> {
    let file: PathBuf = data.path().join("config/demo-since");
    if let Ok(text) = std::fs::read_to_string(&file) {
        return text
            .trim()
            .parse()
            .map_err(|_| Failure::Usage(format!("{} does not hold a time: delete it", file.display())));
    }
    let since = Instant::new(now());
    write_private(&file, &since.to_string()).map_err(Failure::down)?;
    Ok(since)
}

impl Sender {
    async fn register<'d>(&self, person: &'d Person) -> Result<(&'d str, AggregateId), Failure> {
        let data = json!({
            "title": person.title,
            "name": person.name,
            "address": { "lines": person.lines, "town": "Northmoor", "postcode": person.postcode },
            "phone": person.phone,
            "email": format!("{}@example.org", person.key),
            "actor": { "kind": "resident", "assurance": "none" },
            "channel": "online",
            "occurred_at": self.days_ago(60),
            "notice_version": "2026-04",
        });
        let id = self
            .tell(&self.website, "RegisterCustomer", &person.key, None, data)
            .await?
            .aggregate_id;
        if person.emails {
            let data = json!({
                "purpose": "email_updates",
                "wording": "We will send you emails about your requests. You can stop them at any time.",
                "actor": { "kind": "resident", "id": id, "assurance": "signed_in" },
                "channel": "online",
                "occurred_at": self.days_ago(60),
                "notice_version": "2026-04",
            });
            self.tell(&self.website, "RecordConsent", &person.key, Some(id), data)
                .await?;
        }
        Ok((&person.key, id))
    }

    async fn submit(&self, number: usize, case: &Case, people: &HashMap<&str, AggregateId>) -> Result<String, Failure> {
        let customer = case.person.as_deref().and_then(|key| people.get(key));
        let client = match case.channel.as_str() {
            "online" | "app" => &self.website,
            _ => &self.contact_centre,
        };
        let mut data = json!({
            "request_type": case.request_type,
            "customer_id": customer,
            "description": case.description,
            "place": case.place,
            "answers": case.answers,
            "actor": { "kind": "resident", "assurance": "none" },
            "channel": case.channel,
            "notice_version": "2026-04",
        });
        self.set_time(&mut data, case.days_ago, 0);
        let accepted = self
            .tell(client, "SubmitRequest", &number.to_string(), None, data)
            .await?;
        for (place, step) in case.steps.iter().enumerate() {
            let (client, mut data) = self.step(step, &case.channel);
            if let Some(days) = step.slot_in_days {
                data["slot"] = json!(self.slot(&case.request_type, days)?);
            }
            self.set_time(&mut data, case.days_ago, step.after_days);
            let key = format!("{number}/{place}");
            self.tell(client, &step.command, &key, Some(accepted.aggregate_id), data)
                .await?;
        }
        accepted
            .reference
            .map(|reference| reference.to_string())
            .ok_or_else(|| Failure::Down("a case has no reference".to_owned()))
    }

    fn step(&self, step: &Step, channel: &str) -> (&BusClient, Value) {
        let mut data = step.data.clone();
        let (client, actor, channel) = match (&step.officer, step.attempt) {
            (None, None) if step.client.as_deref() == Some(PAYMENTS) => {
                (&self.payments, json!({ "kind": "system", "id": PAYMENTS }), "system")
            }
            (Some(officer), _) => {
                match step.command.as_str() {
                    "CloseRequest" => {
                        _ = data.insert("decided_by".to_owned(), json!({ "kind": "officer", "id": officer }))
                    }
                    "AssignRequest" => _ = data.insert("officer".to_owned(), json!(officer)),
                    _ => {}
                }
                (
                    &self.contact_centre,
                    json!({ "kind": "officer", "id": officer, "assurance": "signed_in" }),
                    "officer_found",
                )
            }
            (None, Some(attempt)) => {
                data.insert("job".to_owned(), json!({ "number": 1, "attempt": attempt }));
                (
                    &self.contractor,
                    json!({ "kind": "contractor", "id": CONTRACTOR }),
                    "crew",
                )
            }
            (None, None) if channel == "phone" => (
                &self.contact_centre,
                json!({ "kind": "resident", "assurance": "none" }),
                channel,
            ),
            (None, None) => (
                &self.website,
                json!({ "kind": "resident", "assurance": "none" }),
                "online",
            ),
        };
        data.insert("actor".to_owned(), actor);
        data.insert("channel".to_owned(), json!(channel));
        (client, Value::Object(data))
    }

    /// A slot that is free: the demo is the first to book.
    fn slot(&self, request_type: &str, in_days: i64) -> Result<Slot, Failure> {
        let missing = || Failure::Down(format!("the demo books for {request_type}, which has no calendar"));
        let code = RequestTypeCode::new(request_type).map_err(Failure::down)?;
        let known = self.catalogue.request_type(&code).ok_or_else(missing)?;
        let calendar = known.calendar.as_ref().ok_or_else(missing)?;
        let first = london::day_of(self.since.get() + Duration::days(in_days));
        let mut slots = calendar.slots_from(first, calendar.days_ahead, Some(&self.holidays));
        slots.next().ok_or_else(missing)
    }

    /// What happens now gets no time: the service gives it.
    fn set_time(&self, data: &mut Value, days_ago: i64, after_days: i64) {
        if days_ago > 0 {
            data["occurred_at"] = json!(self.days_ago((days_ago - after_days).max(0)));
        }
    }

    fn days_ago(&self, days: i64) -> Instant {
        Instant::new(self.since.get() - Duration::days(days))
    }

    /// Sends one command; a rejection of our own data is a fault.
    async fn tell(
        &self,
        client: &BusClient,
        name: &str,
        key: &str,
        subject: Option<AggregateId>,
        data: Value,
    ) -> Result<Accepted, Failure> {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"caseledger.demo");
        let command = Outgoing::new(
            CommandId(Uuid::new_v5(&namespace, format!("{name}/{key}").as_bytes())),
            name,
            subject,
            self.since,
            without_nulls(data).to_string(),
        );
        let CommandResult { status, .. } = client
            .call_unmarked_until_known(&command)
            .await
            .map_err(Failure::down)?;
        match status {
            CommandStatus::Accepted(accepted) => Ok(accepted),
            CommandStatus::Rejected { problem } => Err(Failure::Down(format!(
                "the demo's {name} {key} was rejected: {}",
                problem.detail
            ))),
            CommandStatus::Unavailable => Err(Failure::Down(format!(
                "the demo's {name} {key} is not known to be recorded"
            ))),
        }
    }
}

fn without_nulls(data: Value) -> Value {
    match data {
        Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_can_be_read_and_names_people_that_it_has() {
        let demo: Demo = toml::from_str(CASES).unwrap();
        assert!(demo.case.len() >= 24);
        for person in demo.case.iter().filter_map(|case| case.person.as_ref()) {
            assert!(demo.person.iter().any(|known| known.key == *person), "{person}");
        }
    }
}
