//! Where a case is: told in clear as far as that may be, and kept so that it is found where the same is reported again.

use std::time::Duration;

use catalogue::RequestType;
use domain::{AggregateState, Case};
use event_store::LONGEST_WAIT;
use places::{Cell, Wgs84, distance_metres};
use schemas::command::{Command, CommandBody};
use schemas::event::{CaseEvent, DuplicateFoundBy, EventRecord, PossibleDuplicate};
use schemas::located::Located;
use schemas::problem::{FieldError, ProblemKind};
use schemas::query::CaseStatus;
use schemas::sealed::{KeyAdmission, LookupHash};
use schemas::text::{Place, Uprn};
use schemas::{AggregateId, CaseId, Personal, Problem, RequestTypeCode, Sealed, Version};
use vault::{LookupKind, OpenError, SealedHeader, Vault};

use super::Preparation;
use crate::fault::Fault;
use crate::streams::{StreamError, load};
use crate::task::Task;

/// How many cases nearby are looked at: where there are more, somebody knows already.
const LOOKED_AT_MOST: usize = 20;

/// How long the search for duplicates may take: a report is worth more than what it may repeat.
const SEARCH_AT_MOST: Duration = LONGEST_WAIT;

/// What is known of a place while it is open.
pub(super) struct Placed {
    point: Option<Wgs84>,
    uprn: Option<Uprn>,
    /// In which areas it is.
    pub(super) located: Option<Located>,
}

impl Placed {
    fn of(place: &Place) -> Result<Self, FieldError> {
        Ok(Self {
            point: Wgs84::of_place(place)?,
            uprn: place.uprn.clone(),
            located: None,
        })
    }
}

/// The value by which a case of a type is found near a point.
fn near(code: &RequestTypeCode, cell: Cell) -> String {
    format!("{code} {}", cell.name())
}

/// The value by which a case of a type is found at a property.
fn at_property(code: &RequestTypeCode, uprn: &Uprn) -> String {
    format!("{code} {uprn}")
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
        let mut placed = Placed::of(place).map_err(|fault| {
            let pointer = format!("/place{}", fault.pointer);
            Problem::one(ProblemKind::Invalid, pointer, fault.code, fault.message)
        })?;
        if let (Some(point), Some(area)) = (placed.point, &self.registers.area) {
            placed.located = Some(area.check(point).map_err(|outside| {
                let message =
                    format!("{outside}: correct the coordinates, or send it to the council whose area it is in");
                Problem::one(ProblemKind::Invalid, "/place", "outside_area", message)
            })?);
        }
        Ok(Some(placed))
    }

    /// The open cases of the same type where this one is said to be, those of the same property first, then the nearest. An import
    /// brings what was dealt with elsewhere: nothing is looked for.
    pub(super) async fn possible_duplicates(
        &self,
        task: &Task,
        request_type: Option<&RequestType>,
        placed: &Placed,
    ) -> Result<Vec<PossibleDuplicate>, Fault> {
        if task.client.may_leave_decider_unrecorded {
            return Ok(Vec::new());
        }
        match request_type {
            Some(request_type) => tokio::time::timeout(SEARCH_AT_MOST, self.search(task.lane, request_type, placed))
                .await
                .map_err(|_| Fault::Unavailable("the search for duplicates took too long".to_owned()))?,
            None => Ok(Vec::new()),
        }
    }

    async fn search(
        &self,
        lane: AggregateId,
        request_type: &RequestType,
        placed: &Placed,
    ) -> Result<Vec<PossibleDuplicate>, Fault> {
        let Some(rule) = request_type.duplicates else {
            return Ok(Vec::new());
        };
        let code = &request_type.code;
        let mut found = Vec::new();
        if let (true, Some(uprn)) = (rule.same_property, &placed.uprn) {
            let value = at_property(code, uprn);
            let streams = self.vault.find_streams(LookupKind::Property, [value.as_str()]).await?;
            for case in self.open_cases(&streams, lane, code).await? {
                found.push((-1.0, possible(case, DuplicateFoundBy::SameProperty)));
            }
        }
        if let (Some(metres), Some(point)) = (rule.near_metres, placed.point) {
            let cells = Cell::around(point, metres);
            let values: Vec<String> = cells.into_iter().map(|cell| near(code, cell)).collect();
            let values = values.iter().map(String::as_str);
            let streams = self.vault.find_streams(LookupKind::Near, values).await?;
            for case in self.open_cases(&streams, lane, code).await? {
                let is_known = found.iter().any(|(_, known)| known.case_id == case.0);
                let other = match is_known {
                    true => None,
                    false => self.place_of(case.0.into()).await?.and_then(|(placed, _)| placed.point),
                };
                let away = other.map(|other| distance_metres(point, other));
                if let Some(away) = away.filter(|away| *away <= f64::from(metres)) {
                    found.push((away, possible(case, DuplicateFoundBy::Near)));
                }
            }
        }
        found.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }

    /// Those of these cases that are open and of this type.
    async fn open_cases(
        &self,
        streams: &[AggregateId],
        but: AggregateId,
        code: &RequestTypeCode,
    ) -> Result<Vec<(CaseId, schemas::Reference)>, Fault> {
        let mut open = Vec::new();
        for stream in streams.iter().filter(|stream| **stream != but) {
            let snapshot = match self.cache.get(*stream) {
                Some(cached) => Some(cached),
                None => load(self.ledger, *stream).await?,
            };
            let Some(snapshot) = snapshot else { continue };
            let AggregateState::Case(case) = snapshot.state.as_ref() else {
                continue;
            };
            if case.status() == Some(CaseStatus::Open) && case.request_type() == Some(code) {
                open.extend(
                    case.reference()
                        .map(|reference| (CaseId(stream.uuid()), reference.clone())),
                );
            }
            if open.len() == LOOKED_AT_MOST {
                break;
            }
        }
        Ok(open)
    }

    /// The place of a case as its events have it, opened, with the sealed form; none where it has none or where it can't be read any more.
    async fn place_of(&self, case: AggregateId) -> Result<Option<(Placed, Sealed)>, Fault> {
        let mut place = None;
        for event in self.ledger.stream(case, Version(0)).await? {
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
        let Some(sealed) = place.as_ref().and_then(Personal::as_sealed) else {
            return Ok(None);
        };
        match self.vault.open(sealed).await.and_then(|opened| opened.read::<Place>()) {
            Ok(place) => Ok(Placed::of(&place).ok().map(|placed| (placed, sealed.clone()))),
            Err(OpenError::Unavailable(fault)) => Err(Fault::Unavailable(fault.to_string())),
            Err(OpenError::Erased | OpenError::NoKey | OpenError::Damaged) => Ok(None),
        }
    }

    /// By what a case can be found where it is, after these events: while it is open, and no longer.
    pub(super) async fn place_lookups(
        &self,
        lane: AggregateId,
        placed: Option<&Placed>,
        before: Option<&Case>,
        events: &[EventRecord],
        admission: &mut KeyAdmission,
    ) -> Result<(), Fault> {
        let after = match Whereabouts::after(before, events) {
            Some(after) => after,
            None => return Ok(()),
        };
        let removed = [LookupKind::Near, LookupKind::Property].map(|kind| Vault::lookup_removed(kind, lane));
        let (code, again) = match after {
            Whereabouts::Forgotten => {
                admission.lookups.extend(removed);
                return Ok(());
            }
            Whereabouts::Given(code) => (code, None),
            Whereabouts::Again(code) => (code, self.place_of(lane).await?),
        };
        if let Some((_, sealed)) = &again {
            // Who is erased meanwhile is not to be found by where it was.
            admission
                .used
                .extend(SealedHeader::of(sealed).map(|header| header.key_id));
        }
        let request_type = self.registers.catalogue.request_type(&code);
        let rule = request_type.and_then(|request_type| request_type.duplicates);
        let placed = again.as_ref().map(|(placed, _)| placed).or(placed);
        let hash = |kind, value: Option<String>| {
            let hash: Option<LookupHash> = value.and_then(|value| self.vault.lookup_hash(kind, &value, lane));
            hash.or_else(|| before.map(|_| Vault::lookup_removed(kind, lane)))
        };
        let point = placed
            .filter(|_| rule.is_some_and(|rule| rule.near_metres.is_some()))
            .and_then(|placed| placed.point);
        let uprn = placed
            .filter(|_| rule.is_some_and(|rule| rule.same_property))
            .and_then(|placed| placed.uprn.as_ref());
        let hashes = [
            hash(LookupKind::Near, point.map(|point| near(&code, Cell::of(point)))),
            hash(LookupKind::Property, uprn.map(|uprn| at_property(&code, uprn))),
        ];
        admission.lookups.extend(hashes.into_iter().flatten());
        Ok(())
    }
}

fn possible((case_id, reference): (CaseId, schemas::Reference), found_by: DuplicateFoundBy) -> PossibleDuplicate {
    PossibleDuplicate {
        case_id,
        reference,
        found_by,
    }
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
