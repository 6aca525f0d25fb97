//! Where a case is: told in clear as far as that may be, and kept so that it is found where the same is reported again.

use std::time::Duration;

use catalogue::RequestType;
use domain::Case;
use event_store::StoredEvent;
use places::{Cell, Wgs84, distance_metres};
use schemas::command::{Command, CommandBody};
use schemas::event::{CaseEvent, EventRecord, PossibleDuplicate};
use schemas::located::Located;
use schemas::problem::ProblemKind;
use schemas::query::CaseStatus;
use schemas::sealed::KeyAdmission;
use schemas::text::Place;
use schemas::{AggregateId, CaseId, Personal, Problem, RequestTypeCode, Sealed, Version};
use vault::{LookupKind, OpenError, SealedHeader, Vault};

use super::Preparation;
use crate::cache::Snapshot;
use crate::fault::Fault;
use crate::streams::{StreamError, fold};
use crate::task::Task;

/// How many cases nearby are looked at at most.
const LOOKED_AT_MOST: usize = 50;

/// How long the search for duplicates may take: a report is worth more than what it may repeat.
const SEARCH_AT_MOST: Duration = Duration::from_secs(1);

/// What is known of a place while it is open.
pub(super) struct Placed {
    point: Option<Wgs84>,
    /// In which areas it is.
    pub(super) located: Option<Located>,
}

/// The value by which a case of a type is found near a point.
fn near(code: &RequestTypeCode, cell: Cell) -> String {
    format!("{code} {}", cell.name())
}

impl Preparation<'_> {
    /// The place that a command gives, where it gives one.
    ///
    /// # Errors
    /// A problem that names the coordinate, or the place where it is outside the council's area.
    pub(super) fn placed(&self, command: &Command) -> Result<Option<Placed>, Problem> {
        let place = match &command.body {
            CommandBody::SubmitRequest(submit) => submit.place.as_ref(),
            CommandBody::UpdateRequest(update) => update.place.as_ref(),
            _ => None,
        };
        let Some(place) = place.and_then(Personal::as_open) else {
            return Ok(None);
        };
        let point = Wgs84::of_place(place).map_err(|fault| {
            let pointer = format!("/place{}", fault.pointer);
            Problem::one(ProblemKind::Invalid, pointer, fault.code, fault.message)
        })?;
        let located = match (point, &self.registers.area) {
            (Some(point), Some(area)) => Some(area.check(point).map_err(|outside| {
                let message =
                    format!("{outside}: correct the coordinates, or send it to the council whose area it is in");
                let pointer = match place.latitude {
                    Some(_) => "/place/latitude",
                    None => "/place/easting",
                };
                Problem::one(ProblemKind::Invalid, pointer, "outside_area", message)
            })?),
            _ => None,
        };
        Ok(Some(Placed { point, located }))
    }

    /// The open cases of the same type near where this one is said to be, the nearest first. An import brings what was dealt with
    /// elsewhere: nothing is looked for. What can't be found out in time is not said, and holds nothing up.
    pub(super) async fn possible_duplicates(
        &self,
        task: &Task,
        request_type: Option<&RequestType>,
        placed: &Placed,
    ) -> Vec<PossibleDuplicate> {
        let (Some(request_type), Some(point)) = (request_type, placed.point) else {
            return Vec::new();
        };
        let Some(rule) = request_type
            .duplicates
            .filter(|_| !task.client.may_leave_decider_unrecorded)
        else {
            return Vec::new();
        };
        let search = self.search(task.lane, &request_type.code, point, rule.near_metres);
        match tokio::time::timeout(SEARCH_AT_MOST, search).await {
            Ok(Ok(found)) => found,
            Ok(Err(fault)) => {
                tracing::warn!(%fault, "what a report may repeat was not looked for");
                Vec::new()
            }
            Err(_) => {
                tracing::warn!("what a report may repeat was not found out in time");
                Vec::new()
            }
        }
    }

    async fn search(
        &self,
        lane: AggregateId,
        code: &RequestTypeCode,
        point: Wgs84,
        metres: u8,
    ) -> Result<Vec<PossibleDuplicate>, Fault> {
        let cells = Cell::around(point, metres);
        let values: Vec<String> = cells.into_iter().map(|cell| near(code, cell)).collect();
        let values = values.iter().map(String::as_str);
        let streams = self.vault.find_streams(LookupKind::Near, values).await?;
        let mut found = Vec::new();
        for stream in streams
            .into_iter()
            .filter(|stream| *stream != lane)
            .take(LOOKED_AT_MOST)
        {
            match self.neighbour(stream).await {
                Ok(Some((case, other))) if case.request_type() == Some(code) => {
                    let away = distance_metres(point, other);
                    if away <= f64::from(metres) && case.status() == Some(CaseStatus::Open) {
                        let reference = case.reference().cloned();
                        found.extend(reference.map(|reference| (away, CaseId(stream.uuid()), reference)));
                    }
                }
                Ok(_) => {}
                // One that can't be read does not hide the others.
                Err(fault) => tracing::warn!(case = %stream, %fault, "a case nearby was not looked at"),
            }
        }
        found.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
        let told = found.into_iter();
        Ok(told
            .map(|(_, case_id, reference)| PossibleDuplicate { case_id, reference })
            .collect())
    }

    /// A case and its point, both from one reading of its events: what this process remembers of it can be behind.
    async fn neighbour(&self, stream: AggregateId) -> Result<Option<(Case, Wgs84)>, Fault> {
        let events = self.ledger.stream(stream, Version(0)).await?;
        let Some(snapshot) = fold(&events)? else {
            return Ok(None);
        };
        let Some(case) = snapshot.state.as_case().cloned() else {
            return Ok(None);
        };
        let point = match sealed_place(&events)? {
            Some(sealed) => self.point_of(&sealed).await?,
            None => None,
        };
        Ok(point.map(|point| (case, point)))
    }

    /// The point of a sealed place; none where it has none, or where it can't be read any more.
    async fn point_of(&self, sealed: &Sealed) -> Result<Option<Wgs84>, Fault> {
        match self.vault.open(sealed).await.and_then(|opened| opened.read::<Place>()) {
            Ok(place) => Ok(Wgs84::of_place(&place).ok().flatten()),
            Err(OpenError::Unavailable(fault)) => Err(Fault::Unavailable(fault.to_string())),
            Err(OpenError::Erased | OpenError::NoKey | OpenError::Damaged) => Ok(None),
        }
    }

    /// By what a case can be found where it is, after these events: while it is open, and no longer.
    pub(super) async fn place_lookups(
        &self,
        task: &Task,
        placed: Option<&Placed>,
        stream: Option<&Snapshot>,
        events: &[EventRecord],
        admission: &mut KeyAdmission,
    ) -> Result<(), Fault> {
        let before = stream.and_then(|stream| stream.state.as_case());
        let removed = || Vault::lookup_removed(LookupKind::Near, task.lane);
        let (code, point) = match Whereabouts::after(before, events) {
            None => return Ok(()),
            Some(Whereabouts::Forgotten) => {
                admission.lookups.push(removed());
                return Ok(());
            }
            Some(Whereabouts::Given(code)) => (code, placed.and_then(|placed| placed.point)),
            Some(Whereabouts::Again(code)) => {
                let logged = self.ledger.stream(task.lane, Version(0)).await?;
                let is_behind = logged.last().map(|last| last.sequence) != stream.map(|stream| stream.version);
                if is_behind {
                    // What came before in the same turn is not in the log yet: it stays findable as it was.
                    return Ok(());
                }
                let sealed = sealed_place(&logged)?;
                // A key that was refused belongs to somebody who was erased: where they were is not to be found by any more.
                match sealed.filter(|_| !task.keys_refused) {
                    Some(sealed) => {
                        admission
                            .used
                            .extend(SealedHeader::of(&sealed).map(|header| header.key_id));
                        (code, self.point_of(&sealed).await?)
                    }
                    None => (code, None),
                }
            }
        };
        let request_type = self.registers.catalogue.request_type(&code);
        let is_looked_for = request_type.is_some_and(|request_type| request_type.duplicates.is_some());
        let value = point
            .filter(|_| is_looked_for)
            .map(|point| near(&code, Cell::of(point)));
        let hash = value.and_then(|value| self.vault.lookup_hash(LookupKind::Near, &value, task.lane));
        admission.lookups.extend(hash.or_else(|| before.map(|_| removed())));
        Ok(())
    }
}

/// The place of a case as its events have it.
fn sealed_place(events: &[StoredEvent]) -> Result<Option<Sealed>, Fault> {
    let mut place = None;
    for event in events {
        let record = CaseEvent::read(&event.event_type, &event.event_version, &event.payload);
        let record = record.map_err(|source| StreamError::Event {
            position: event.position,
            source,
        })?;
        let given = match record {
            CaseEvent::RequestSubmitted(event) => event.place,
            CaseEvent::RequestUpdated(event) => event.place,
            _ => None,
        };
        place = given.or(place);
    }
    Ok(place.as_ref().and_then(Personal::as_sealed).cloned())
}

/// What events come to for finding a case by its place.
enum Whereabouts {
    /// The command gives the place.
    Given(RequestTypeCode),
    /// The place stays, and the case is to be found by it again, or as another type.
    Again(RequestTypeCode),
    /// The case has ended: it is found no more.
    Forgotten,
}

impl Whereabouts {
    /// None where nothing changes.
    fn after(before: Option<&Case>, events: &[EventRecord]) -> Option<Self> {
        let code = || before.and_then(Case::request_type).cloned();
        let had_place = before.is_some_and(Case::has_place);
        let mut after = None;
        for event in events {
            let EventRecord::Case(event) = event else { continue };
            let change = match event {
                CaseEvent::RequestSubmitted(event) => {
                    event.place.as_ref().map(|_| Self::Given(event.request_type.clone()))
                }
                CaseEvent::RequestUpdated(event) => event.place.as_ref().and(code()).map(Self::Given),
                CaseEvent::TypeChanged(event) if had_place => Some(Self::Again(event.request_type.clone())),
                CaseEvent::RequestReopened(_) if had_place => code().map(Self::Again),
                CaseEvent::EntryCorrected(event) if had_place => match event.standing.status {
                    CaseStatus::Open => code().map(Self::Again),
                    CaseStatus::Closed | CaseStatus::Cancelled => Some(Self::Forgotten),
                },
                CaseEvent::RequestClosed(_) | CaseEvent::RequestCancelled(_) if had_place => Some(Self::Forgotten),
                _ => None,
            };
            after = change.or(after);
        }
        after
    }
}
