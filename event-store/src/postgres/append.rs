//! One append: a batch as arrays, in one round trip, and the verdicts that come back.

use schemas::sealed::KeyAdmission;
use schemas::{AggregateId, EventId, Position, Version};
use sqlx::postgres::{PgConnection, PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::json::JsonText;
use super::rows;
use crate::error::{LedgerError, Reason};
use crate::ledger::{Append, Outcome, PlaceChange, Receipt, ReceiptStatus, Verdict};

/// One array per parameter of `ledger.append`, about the commands.
#[derive(Default)]
struct Commands<'a> {
    client: Vec<&'a str>,
    command_id: Vec<Uuid>,
    fingerprint: Vec<&'a [u8]>,
    aggregate_type: Vec<&'a str>,
    aggregate_id: Vec<Uuid>,
    service: Vec<&'a str>,
    expected: Vec<i64>,
    reference: Vec<Option<&'a str>>,
    problem: Vec<Option<JsonText<'a>>>,
    external_system: Vec<Option<&'a str>>,
    external_id: Vec<Option<&'a str>>,
}

/// About the events.
#[derive(Default)]
struct Events<'a> {
    command: Vec<i32>,
    event_id: Vec<Uuid>,
    event_type: Vec<&'a str>,
    event_version: Vec<&'a str>,
    payload: Vec<JsonText<'a>>,
    metadata: Vec<JsonText<'a>>,
    occurred_at: Vec<OffsetDateTime>,
}

/// About the vault: the parameters of `vault.admit`.
#[derive(Default)]
struct Keys<'a> {
    command: Vec<i32>,
    id: Vec<Uuid>,
    person: Vec<Option<Uuid>>,
    stream: Vec<Uuid>,
    category: Vec<&'a str>,
    wrapped: Vec<&'a [u8]>,
    wrapped_by: Vec<&'a str>,
    used_command: Vec<i32>,
    used_id: Vec<Uuid>,
    lookup_command: Vec<i32>,
    lookup_kind: Vec<&'a str>,
    lookup_hash: Vec<Option<&'a [u8]>>,
    lookup_person: Vec<Uuid>,
    move_command: Vec<i32>,
    move_from: Vec<Option<Uuid>>,
    move_to: Vec<Uuid>,
    move_stream: Vec<Option<Uuid>>,
    move_person: Vec<Option<Uuid>>,
}

/// About places in slots: the parameters of `ledger.places_given`.
#[derive(Default)]
struct Places<'a> {
    command: Vec<i32>,
    slot: Vec<&'a str>,
    holder: Vec<Uuid>,
    most: Vec<Option<i32>>,
}

/// Appends a batch over this connection.
pub(super) async fn append(connection: &mut PgConnection, batch: &[Append]) -> Result<Vec<Verdict>, LedgerError> {
    let (mut commands, mut events, mut keys) = (Commands::default(), Events::default(), Keys::default());
    let mut places = Places::default();
    for (append, number) in batch.iter().zip(1..) {
        commands.add(append);
        if let Outcome::Accepted { .. } = append.outcome {
            events.add(append, number);
            keys.add(&append.keys, number);
            places.add(append, number);
        }
    }
    let query = sqlx::query(include_str!("../../sql/append.sql"));
    let query = query
        .bind(commands.client)
        .bind(commands.command_id)
        .bind(commands.fingerprint);
    let query = query
        .bind(commands.aggregate_type)
        .bind(commands.aggregate_id)
        .bind(commands.service);
    let query = query
        .bind(commands.expected)
        .bind(commands.reference)
        .bind(commands.problem);
    let query = query.bind(commands.external_system).bind(commands.external_id);
    let query = query
        .bind(events.command)
        .bind(events.event_id)
        .bind(events.event_type)
        .bind(events.event_version);
    let query = query
        .bind(events.payload)
        .bind(events.metadata)
        .bind(events.occurred_at);
    let query = query
        .bind(keys.command)
        .bind(keys.id)
        .bind(keys.person)
        .bind(keys.stream)
        .bind(keys.category);
    let query = query
        .bind(keys.wrapped)
        .bind(keys.wrapped_by)
        .bind(keys.used_command)
        .bind(keys.used_id);
    let query = query
        .bind(keys.lookup_command)
        .bind(keys.lookup_kind)
        .bind(keys.lookup_hash)
        .bind(keys.lookup_person);
    let query = query
        .bind(keys.move_command)
        .bind(keys.move_from)
        .bind(keys.move_to)
        .bind(keys.move_stream)
        .bind(keys.move_person);
    let query = query
        .bind(places.command)
        .bind(places.slot)
        .bind(places.holder)
        .bind(places.most);
    let rows = query
        .fetch_all(connection)
        .await
        .map_err(|error| LedgerError::of_append(&error))?;
    let verdicts = match rows.as_slice() {
        [all] if rows::read::<&str>(all, "verdict").is_ok_and(|verdict| verdict == "all_appended") => {
            all_appended(batch, all)
        }
        each if each.len() == batch.len() => batch
            .iter()
            .zip(each)
            .map(|(append, row)| verdict(append, row))
            .collect(),
        _ => Err(LedgerError::Unknown(Reason::new(
            "another number of verdicts than commands",
        ))),
    };
    // It was committed; what can't be read of the answer is as good as lost.
    verdicts.map_err(|error| match error {
        LedgerError::Broken(reason)
        | LedgerError::Unrecordable(reason)
        | LedgerError::Unavailable(reason)
        | LedgerError::Unknown(reason) => LedgerError::Unknown(reason),
    })
}

impl<'a> Commands<'a> {
    fn add(&mut self, append: &'a Append) {
        let (reference, problem, external) = match &append.outcome {
            Outcome::Accepted { reference, .. } => (reference.as_ref(), None, append.external_ref.as_ref()),
            Outcome::Rejected { problem } => (None, Some(JsonText(problem)), None),
        };
        self.client.push(append.client.as_str());
        self.command_id.push(append.command_id.0);
        self.fingerprint.push(&append.fingerprint);
        self.aggregate_type.push(append.aggregate_type);
        self.aggregate_id.push(append.aggregate_id.0);
        self.service.push(append.service.as_str());
        self.expected.push(append.expected.0);
        self.reference.push(reference.map(|reference| reference.as_str()));
        self.problem.push(problem);
        self.external_system
            .push(external.map(|external| external.system.as_str()));
        self.external_id.push(external.map(|external| external.id.as_str()));
    }
}

impl<'a> Events<'a> {
    fn add(&mut self, append: &'a Append, number: i32) {
        for event in append.events() {
            self.command.push(number);
            self.event_id.push(event.event_id.0);
            self.event_type.push(event.event_type);
            self.event_version.push(event.event_version);
            self.payload.push(JsonText(&event.payload));
            self.metadata.push(JsonText(&event.metadata));
            self.occurred_at.push(event.occurred_at);
        }
    }
}

impl<'a> Keys<'a> {
    fn add(&mut self, keys: &'a KeyAdmission, number: i32) {
        for key in &keys.minted {
            self.command.push(number);
            self.id.push(key.id.0);
            self.person.push(key.person.map(|person| person.0));
            self.stream.push(key.stream.0);
            self.category.push(key.category.as_str());
            self.wrapped.push(&key.wrapped);
            self.wrapped_by.push(&key.wrapped_by);
        }
        for used in &keys.used {
            self.used_command.push(number);
            self.used_id.push(used.0);
        }
        for lookup in &keys.lookups {
            self.lookup_command.push(number);
            self.lookup_kind.push(lookup.kind);
            self.lookup_hash.push(lookup.hash.as_ref().map(<[u8; 32]>::as_slice));
            self.lookup_person.push(lookup.leads_to.0);
        }
        for change in &keys.moves {
            self.move_command.push(number);
            self.move_from.push(change.from.map(|owner| owner.0));
            self.move_to.push(change.to.0);
            self.move_stream.push(change.stream.map(|stream| stream.0));
            self.move_person.push(change.person.map(|person| person.0));
        }
    }
}

impl<'a> Places<'a> {
    fn add(&mut self, append: &'a Append, number: i32) {
        for place in &append.places {
            let (slot, most) = match place {
                PlaceChange::Take { slot, most } => (slot, Some(i32::try_from(*most).unwrap_or(i32::MAX))),
                PlaceChange::GiveBack { slot } => (slot, None),
            };
            self.command.push(number);
            self.slot.push(slot);
            self.holder.push(append.aggregate_id.0);
            self.most.push(most);
        }
    }
}

/// The verdicts on a batch that was recorded whole: one event after the other from where the log ended.
fn all_appended(batch: &[Append], row: &PgRow) -> Result<Vec<Verdict>, LedgerError> {
    let mut position = Position(rows::read(row, "position")?);
    let recorded_at = rows::read(row, "recorded_at")?;
    let verdict = |append: &Append| {
        position.0 += i64::try_from(append.events().len()).unwrap_or(i64::MAX);
        Verdict::Appended(new_receipt(append, position, recorded_at))
    };
    Ok(batch.iter().map(verdict).collect())
}

fn verdict(append: &Append, row: &PgRow) -> Result<Verdict, LedgerError> {
    match rows::read(row, "verdict")? {
        "appended" => {
            let position = Position(rows::read(row, "position")?);
            Ok(Verdict::Appended(new_receipt(
                append,
                position,
                rows::read(row, "recorded_at")?,
            )))
        }
        "repeated" => {
            rows::receipt(row, append.client.clone(), append.command_id, append.fingerprint).map(Verdict::Repeated)
        }
        "reused" => Ok(Verdict::Reused),
        "conflict" => Ok(Verdict::Conflict),
        "key" => Ok(Verdict::KeyRefused),
        "place" => Ok(Verdict::SlotFull),
        "external_ref_taken" => {
            let aggregate_id: AggregateId = rows::read::<&str>(row, "aggregate_id")?
                .parse()
                .map_err(|_| rows::unreadable("aggregate_id"))?;
            Ok(Verdict::ExternalRefTaken { aggregate_id })
        }
        _ => Err(rows::unreadable("verdict")),
    }
}

/// The receipt of what was recorded now: the database added only where and when.
fn new_receipt(append: &Append, position: Position, recorded_at: OffsetDateTime) -> Receipt {
    let (reference, status) = match &append.outcome {
        Outcome::Accepted { reference, .. } => (reference.clone(), ReceiptStatus::Accepted),
        Outcome::Rejected { problem } => (
            None,
            ReceiptStatus::Rejected {
                problem: problem.clone(),
            },
        ),
    };
    let event_ids: Vec<EventId> = append.events().iter().map(|event| event.event_id).collect();
    let appended = i64::try_from(event_ids.len()).unwrap_or(i64::MAX);
    Receipt {
        client: append.client.clone(),
        command_id: append.command_id,
        fingerprint: append.fingerprint,
        status,
        aggregate_id: append.aggregate_id,
        reference,
        version: Version(append.expected.0 + appended),
        position,
        event_ids,
        recorded_at,
    }
}
