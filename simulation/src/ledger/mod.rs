//! The model of the log: what `ledger.append` records and answers, in memory.
//!
//! It judges one command after another, in their order, as the SQL does where not all of a batch can be recorded at once; where all can,
//! both ways come to the same. The conformance suite asks the model and PostgreSQL the same questions.

mod line;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_store::{
    Append, Head, LedgerError, Outcome, PlaceChange, Reason, Receipt, ReceiptStatus, StoredEvent, Verdict,
};
use schemas::{AggregateId, ClientName, CommandId, CustomerId, Position, ServiceName, Version};
use time::OffsetDateTime;

use crate::signal::Signal;

pub use line::ModelLedger;
pub(crate) use line::unavailable;
pub(crate) use rows::{KeyRow, KeyRows, LeaseRow};

/// The one log of a run, and the tables beside it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ModelLog {
    tables: Arc<Mutex<Tables>>,
    /// Appends take turns.
    turn: Arc<tokio::sync::Mutex<()>>,
    grown: Arc<Signal>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) events: Vec<StoredEvent>,
    /// The places of each stream's events in `events`.
    streams: BTreeMap<AggregateId, Vec<usize>>,
    services: BTreeMap<ServiceName, i64>,
    pub(crate) receipts: BTreeMap<(ClientName, CommandId), Receipt>,
    external_refs: BTreeMap<(String, String), AggregateId>,
    references: BTreeMap<String, AggregateId>,
    places: BTreeSet<(String, AggregateId)>,
    numbers: i64,
    pub(crate) keys: KeyRows,
    pub(crate) leases: BTreeMap<String, LeaseRow>,
    /// Which process has looked for which result, and when it last did.
    pub(crate) looked: BTreeMap<(String, CommandId), OffsetDateTime>,
}

impl ModelLog {
    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every event, in order.
    #[must_use]
    pub fn events(&self) -> Vec<StoredEvent> {
        self.tables().events.clone()
    }

    /// Erases a person, as `vault.erase` does. Gives how many keys were destroyed.
    #[must_use]
    pub fn erase(&self, person: CustomerId) -> u64 {
        self.tables().keys.erase(person)
    }

    /// Commits a batch, at this instant of the database's clock.
    ///
    /// # Errors
    /// [`LedgerError::Unrecordable`]: nothing of it was recorded.
    pub fn commit(&self, batch: &[Append], at: OffsetDateTime) -> Result<Vec<Verdict>, LedgerError> {
        batch.iter().try_for_each(recordable)?;
        let mut tables = self.tables();
        if tables.may_reuse_a_reference(batch) {
            // All or nothing of it.
            tables.clone().append(batch, at)?;
        }
        let before = tables.head().position;
        let verdicts = tables.append(batch, at)?;
        let grown = tables.head().position > before;
        drop(tables);
        if grown {
            self.grown.change();
        }
        Ok(verdicts)
    }
}

impl Tables {
    pub(crate) fn head(&self) -> Head {
        let last = self.events.last();
        Head {
            position: last.map_or(Position::START, |last| last.position),
            recorded_at: last.map(|last| last.recorded_at),
        }
    }

    pub(crate) fn version(&self, stream: AggregateId) -> Version {
        let events = self.streams.get(&stream).map_or(0, Vec::len);
        Version(i64::try_from(events).unwrap_or(i64::MAX))
    }

    pub(crate) fn stream(&self, stream: AggregateId, after: Version) -> Vec<StoredEvent> {
        let places = self.streams.get(&stream).into_iter().flatten();
        let events = places.filter_map(|place| self.events.get(*place));
        events.filter(|event| event.sequence > after).cloned().collect()
    }

    /// Whether a case of this batch has the reference of another.
    fn may_reuse_a_reference(&self, batch: &[Append]) -> bool {
        let mut seen = BTreeSet::new();
        batch.iter().any(|append| match &append.outcome {
            Outcome::Accepted {
                reference: Some(reference),
                ..
            } if append.expected == Version(0) => {
                let reference = reference.as_str();
                self.references.contains_key(reference) || !seen.insert(reference)
            }
            _ => false,
        })
    }

    fn append(&mut self, batch: &[Append], at: OffsetDateTime) -> Result<Vec<Verdict>, LedgerError> {
        // The database keeps whole microseconds.
        let at = schemas::moment::Instant::new(at).get();
        let at = self.head().recorded_at.map_or(at, |last| last.max(at));
        // Streams of commands that lost, and the version that each expected: what was built on their events loses too.
        let mut lost: Vec<(AggregateId, Version)> = Vec::new();
        let mut verdicts = Vec::with_capacity(batch.len());
        for append in batch {
            let verdict = self.verdict(append, &lost, at)?;
            if !matches!(verdict, Verdict::Appended(_)) && !append.events().is_empty() {
                lost.push((append.aggregate_id, append.expected));
            }
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    fn verdict(
        &mut self,
        append: &Append,
        lost: &[(AggregateId, Version)],
        at: OffsetDateTime,
    ) -> Result<Verdict, LedgerError> {
        let key = (append.client.clone(), append.command_id);
        if let Some(recorded) = self.receipts.get(&key) {
            return Ok(match recorded.fingerprint == append.fingerprint {
                true => Verdict::Repeated(recorded.clone()),
                false => Verdict::Reused,
            });
        }
        let rests_on_a_loser =
            (lost.iter()).any(|(stream, expected)| *stream == append.aggregate_id && *expected < append.expected);
        if self.version(append.aggregate_id) != append.expected || rests_on_a_loser {
            return Ok(Verdict::Conflict);
        }
        let Outcome::Accepted { reference, .. } = &append.outcome else {
            return Ok(Verdict::Appended(self.record(append, at)));
        };
        let external = append
            .external_ref
            .as_ref()
            .map(|external| (external.system.to_string(), external.id.to_string()));
        if let Some(aggregate_id) = external.as_ref().and_then(|external| self.external_refs.get(external)) {
            let aggregate_id = *aggregate_id;
            return Ok(Verdict::ExternalRefTaken { aggregate_id });
        }
        // What is written here goes with the command, if it loses.
        let before = (self.keys.clone(), self.places.clone());
        if !self.keys.admit(&append.keys) {
            self.keys = before.0;
            return Ok(Verdict::KeyRefused);
        }
        if !append
            .places
            .iter()
            .all(|place| self.change(place, append.aggregate_id))
        {
            (self.keys, self.places) = before;
            return Ok(Verdict::SlotFull);
        }
        let opens = append.expected == Version(0) && !append.events().is_empty();
        if let Some(reference) = reference.as_ref().filter(|_| opens)
            && (self.references)
                .insert(reference.as_str().to_owned(), append.aggregate_id)
                .is_some()
        {
            return Err(unrecordable("two cases with one reference"));
        }
        if let Some(external) = external {
            self.external_refs.insert(external, append.aggregate_id);
        }
        Ok(Verdict::Appended(self.record(append, at)))
    }

    fn change(&mut self, place: &PlaceChange, holder: AggregateId) -> bool {
        match place {
            PlaceChange::GiveBack { slot } => {
                self.places.remove(&(slot.clone(), holder));
                true
            }
            PlaceChange::Take { slot, most } => {
                let taken = self.places.iter().filter(|(taken, _)| taken == slot).count();
                let has_room = u32::try_from(taken).is_ok_and(|taken| taken < *most);
                has_room && self.places.insert((slot.clone(), holder))
            }
        }
    }

    fn record(&mut self, append: &Append, recorded_at: OffsetDateTime) -> Receipt {
        for event in append.events() {
            let places = self.streams.entry(append.aggregate_id).or_default();
            places.push(self.events.len());
            let sequence = Version(i64::try_from(places.len()).unwrap_or(i64::MAX));
            let position = self.head().position.next();
            let service_position = self.services.entry(append.service.clone()).or_insert(0);
            *service_position += 1;
            let occurred_at = schemas::moment::Instant::new(event.occurred_at).get();
            self.events.push(StoredEvent {
                position,
                service: append.service.clone(),
                service_position: Position(*service_position),
                event_id: event.event_id,
                command_id: append.command_id,
                client: append.client.clone(),
                aggregate_type: append.aggregate_type.to_owned(),
                aggregate_id: append.aggregate_id,
                sequence,
                event_type: event.event_type.to_owned(),
                event_version: event.event_version.to_owned(),
                payload: event.payload.clone(),
                metadata: event.metadata.clone(),
                recorded_at,
                occurred_at,
            });
        }
        let (status, reference) = match &append.outcome {
            Outcome::Accepted { reference, .. } => (ReceiptStatus::Accepted, reference.clone()),
            Outcome::Rejected { problem } => {
                let problem = problem.clone();
                (ReceiptStatus::Rejected { problem }, None)
            }
        };
        let receipt = Receipt {
            client: append.client.clone(),
            command_id: append.command_id,
            fingerprint: append.fingerprint,
            status,
            aggregate_id: append.aggregate_id,
            reference,
            version: self.version(append.aggregate_id),
            position: self.head().position,
            event_ids: append.events().iter().map(|event| event.event_id).collect(),
            recorded_at,
        };
        let key = (append.client.clone(), append.command_id);
        self.receipts.insert(key, receipt.clone());
        receipt
    }
}

fn unrecordable(why: &str) -> LedgerError {
    LedgerError::Unrecordable(Reason::new(why))
}

/// Whether the database can hold the texts of a command: they are JSON.
fn recordable(append: &Append) -> Result<(), LedgerError> {
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let fits = match &append.outcome {
        Outcome::Accepted { events, .. } => events
            .iter()
            .all(|event| is_json(&event.payload) && is_json(&event.metadata)),
        Outcome::Rejected { problem } => is_json(problem),
    };
    fits.then_some(()).ok_or_else(|| unrecordable("a text is no JSON"))
}
