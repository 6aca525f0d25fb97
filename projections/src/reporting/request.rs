//! One request as reports count it, and its row.

use std::collections::BTreeMap;

use catalogue::london;
use schemas::command::{FoundBy, IncidentSize, LandType};
use schemas::event::{CaseEvent, OutcomeKind, RequestClass, RequestSubmitted};
use schemas::located::Located;
use schemas::moment::Day;
use schemas::query::CaseStatus;
use schemas::text::AreaCode;
use schemas::{OutcomeCode, ServiceName};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row as _};
use uuid::Uuid;

use crate::columns::{as_integer, column, count, optional_word, word};
use crate::error::{Fault, ProjectionError};
use crate::event::Event;
use crate::projection::Generation;
use crate::reporting::keys::{CASE_KEYS, Keys, PERSON_KEYS};
use crate::reporting::{NAME, action};

/// A request, by keys that only reporting knows.
#[derive(Clone, Debug, PartialEq)]
struct Request {
    case_key: Uuid,
    person_key: Option<Uuid>,
    service: ServiceName,
    reporting_code: String,
    class: RequestClass,
    channel: String,
    received_on: Day,
    status: CaseStatus,
    outcome: Option<OutcomeCode>,
    outcome_kind: Option<OutcomeKind>,
    times_reopened: u32,
    closed_on: Option<Day>,
    ward: Option<AreaCode>,
    statistical_area: Option<AreaCode>,
    land: Option<LandType>,
    incident_size: Option<IncidentSize>,
    found_by: Option<FoundBy>,
    /// How many of the case's events left a trace here.
    events: i64,
}

/// Whether an event says something that is reported.
pub(super) const fn leaves_a_trace(record: &CaseEvent) -> bool {
    match record {
        CaseEvent::RequestSubmitted(_)
        | CaseEvent::RequestCancelled(_)
        | CaseEvent::RequestClosed(_)
        | CaseEvent::RequestReopened(_)
        | CaseEvent::TypeChanged(_)
        | CaseEvent::CaseMoved(_)
        | CaseEvent::IncidentRecorded(_)
        | CaseEvent::EnforcementActionTaken(_)
        | CaseEvent::ActionResultRecorded(_)
        | CaseEvent::EntryCorrected(_) => true,
        CaseEvent::RequestUpdated(updated) => updated.place.is_some(),
        CaseEvent::RequestAssigned(_)
        | CaseEvent::InformationAskedFor(_)
        | CaseEvent::InformationProvided(_)
        | CaseEvent::NoteAdded(_)
        | CaseEvent::RequestAcknowledged(_)
        | CaseEvent::TimeExtended(_)
        | CaseEvent::DeadlineSet(_)
        | CaseEvent::ContactRecorded(_)
        | CaseEvent::CaseLinked(_)
        | CaseEvent::SentForInvestigation(_)
        | CaseEvent::FindingsReceived(_)
        | CaseEvent::RemedyAgreed(_)
        | CaseEvent::RemedyDone(_)
        | CaseEvent::EligibilityAssessed(_)
        | CaseEvent::DecisionRecorded(_)
        | CaseEvent::BadgeIssued(_)
        | CaseEvent::JobRaised(_)
        | CaseEvent::JobChanged(_)
        | CaseEvent::JobCancelled(_)
        | CaseEvent::JobReopened(_)
        | CaseEvent::JobAcknowledged(_)
        | CaseEvent::JobRejected(_)
        | CaseEvent::JobProgressed(_)
        | CaseEvent::JobReportedDone(_)
        | CaseEvent::JobReportedFailed(_)
        | CaseEvent::JobAccepted(_)
        | CaseEvent::PaymentDue(_)
        | CaseEvent::ConcessionGranted(_)
        | CaseEvent::PaymentReceived(_)
        | CaseEvent::PaymentFailed(_)
        | CaseEvent::RefundDecided(_)
        | CaseEvent::PaymentRefunded(_)
        | CaseEvent::PaymentWrittenOff(_)
        | CaseEvent::PaymentDropped(_)
        | CaseEvent::CollectionLookedUp(_)
        | CaseEvent::DuplicatesSuggested(_)
        | CaseEvent::AppointmentBooked(_)
        | CaseEvent::AppointmentMoved(_)
        | CaseEvent::AppointmentCancelled(_)
        | CaseEvent::AttendanceRecorded(_)
        | CaseEvent::AttachmentAdded(_)
        | CaseEvent::SubjectNamed(_)
        | CaseEvent::SubjectCleared(_)
        | CaseEvent::ClockApproaching(_)
        | CaseEvent::ClockOverdue(_)
        | CaseEvent::ClocksRecomputed(_)
        | CaseEvent::NotificationSent(_)
        | CaseEvent::NotificationFailed(_) => false,
    }
}

impl Request {
    /// The request after one more of its case's events; `None` where the first is not a submission, or a later one is.
    fn after(before: Option<Self>, keys: (Uuid, Option<Uuid>), event: &Event, record: &CaseEvent) -> Option<Self> {
        let mut request = match (before, record) {
            (None, CaseEvent::RequestSubmitted(submitted)) => return Some(Self::submitted(keys, event, submitted)),
            (Some(request), record) if !matches!(record, CaseEvent::RequestSubmitted(_)) => request,
            _ => return None,
        };
        request.events += 1;
        if matches!(record, CaseEvent::CaseMoved(_)) {
            request.person_key = keys.1;
        }
        request.change(event, record);
        Some(request)
    }

    fn submitted((case_key, person_key): (Uuid, Option<Uuid>), event: &Event, submitted: &RequestSubmitted) -> Self {
        let (ward, statistical_area) = areas(submitted.located.as_ref());
        Self {
            case_key,
            person_key,
            service: submitted.service.clone(),
            reporting_code: submitted.reporting_code.clone(),
            class: submitted.class,
            channel: event.metadata.channel.clone(),
            received_on: submitted.received_on,
            status: CaseStatus::Open,
            outcome: None,
            outcome_kind: None,
            times_reopened: 0,
            closed_on: None,
            ward,
            statistical_area,
            land: None,
            incident_size: None,
            found_by: None,
            events: 1,
        }
    }

    fn change(&mut self, event: &Event, record: &CaseEvent) {
        match record {
            CaseEvent::RequestCancelled(_) => {
                self.status = CaseStatus::Cancelled;
                self.closed_on = Some(london::day_of(event.stored.occurred_at));
            }
            CaseEvent::RequestClosed(closed) => {
                self.status = CaseStatus::Closed;
                self.outcome = Some(closed.outcome.clone());
                self.outcome_kind = Some(closed.outcome_kind);
                self.closed_on = Some(london::day_of(event.stored.occurred_at));
            }
            CaseEvent::RequestReopened(reopened) => {
                self.status = CaseStatus::Open;
                self.outcome = None;
                self.outcome_kind = None;
                self.closed_on = None;
                self.times_reopened = reopened.times;
            }
            CaseEvent::IncidentRecorded(incident) => {
                (self.land, self.incident_size) = (Some(incident.land), incident.size);
                self.found_by = Some(incident.found_by);
            }
            CaseEvent::RequestUpdated(updated) => {
                (self.ward, self.statistical_area) = areas(updated.located.as_ref());
            }
            CaseEvent::TypeChanged(changed) => {
                self.reporting_code = changed.reporting_code.clone();
                self.class = changed.class;
            }
            CaseEvent::EntryCorrected(corrected) => {
                let standing = &corrected.standing;
                self.status = standing.status;
                self.outcome = standing.outcome.clone();
                self.outcome_kind = standing.outcome_kind;
                self.times_reopened = standing.times_reopened;
                self.closed_on = standing.ended_at.map(|at| london::day_of(at.get()));
            }
            // The others leave no trace.
            _ => {}
        }
    }
}

/// The codes of the ward and of the statistical area.
fn areas(located: Option<&Located>) -> (Option<AreaCode>, Option<AreaCode>) {
    let ward = located.map(|located| located.ward.code.clone());
    let area = located.and_then(|located| located.statistical_area.as_ref());
    (ward, area.map(|area| area.code.clone()))
}

/// The customer of a case, where the event is the one that names them.
fn customer(record: &CaseEvent) -> Option<Uuid> {
    match record {
        CaseEvent::RequestSubmitted(submitted) => submitted.customer_id.map(|id| id.0),
        CaseEvent::CaseMoved(moved) => Some(moved.customer_id.0),
        _ => None,
    }
}

/// Applies events of cases, all of which leave a trace, to the rows of their requests.
pub(super) async fn apply(
    transaction: &mut PgConnection,
    generation: Generation,
    events: &[(&Event, &CaseEvent)],
    new_key: &(dyn Fn() -> Uuid + Send + Sync),
) -> Result<(), ProjectionError> {
    let cases = events.iter().map(|(event, _)| event.stored.aggregate_id.0).collect();
    let people = events.iter().filter_map(|(_, record)| customer(record)).collect();
    let case_keys = CASE_KEYS.of(&mut *transaction, cases, new_key).await?;
    let person_keys = PERSON_KEYS.of(&mut *transaction, people, new_key).await?;
    let held: Vec<Request> = sqlx::query_as(include_str!("../../sql/reporting/select_requests.sql"))
        .bind(generation.0)
        .bind(case_keys.values().copied().collect::<Vec<_>>())
        .fetch_all(&mut *transaction)
        .await?;
    let mut requests = held.into_iter().map(|request| (request.case_key, request)).collect();
    for (event, record) in events {
        fold(&mut requests, (&case_keys, &person_keys), event, record)?;
        if let Some(case_key) = case_keys.get(&event.stored.aggregate_id.0) {
            action::apply(&mut *transaction, generation, *case_key, event.stored.sequence, record).await?;
        }
    }
    upsert(transaction, generation, &requests.into_values().collect::<Vec<_>>()).await
}

fn fold(
    requests: &mut BTreeMap<Uuid, Request>,
    (case_keys, person_keys): (&Keys, &Keys),
    event: &Event,
    record: &CaseEvent,
) -> Result<(), ProjectionError> {
    let position = event.stored.position;
    let fault = |fault| ProjectionError::Implausible {
        projection: NAME,
        position,
        fault,
    };
    let case_key = case_keys.get(&event.stored.aggregate_id.0).copied();
    let case_key = case_key.ok_or(ProjectionError::Statement(sqlx::Error::RowNotFound))?;
    let person_key = customer(record).and_then(|id| person_keys.get(&id)).copied();
    let before = requests.remove(&case_key);
    let request = Request::after(before, (case_key, person_key), event, record);
    requests.insert(case_key, request.ok_or_else(|| fault(Fault::Beginning))?);
    Ok(())
}

async fn upsert(
    transaction: &mut PgConnection,
    generation: Generation,
    requests: &[Request],
) -> Result<(), ProjectionError> {
    sqlx::query(include_str!("../../sql/reporting/upsert_requests.sql"))
        .bind(generation.0)
        .bind(column(requests, |request| request.case_key))
        .bind(column(requests, |request| request.person_key))
        .bind(column(requests, |request| request.service.as_str()))
        .bind(column(requests, |request| request.reporting_code.as_str()))
        .bind(column(requests, |request| request.class.as_str()))
        .bind(column(requests, |request| request.channel.as_str()))
        .bind(column(requests, |request| request.received_on.0))
        .bind(column(requests, |request| request.status.as_str()))
        .bind(column(requests, |request| {
            request.outcome.as_ref().map(OutcomeCode::as_str)
        }))
        .bind(column(requests, |request| {
            request.outcome_kind.map(|kind| kind.as_str())
        }))
        .bind(column(requests, |request| as_integer(request.times_reopened)))
        .bind(column(requests, |request| request.closed_on.map(|day| day.0)))
        .bind(column(requests, |request| request.events))
        .bind(column(requests, |request| request.ward.as_ref().map(AreaCode::as_str)))
        .bind(column(requests, |request| {
            request.statistical_area.as_ref().map(AreaCode::as_str)
        }))
        .bind(column(requests, |request| request.land.map(LandType::as_str)))
        .bind(column(requests, |request| {
            request.incident_size.map(IncidentSize::as_str)
        }))
        .bind(column(requests, |request| request.found_by.map(FoundBy::as_str)))
        .execute(transaction)
        .await?;
    Ok(())
}

impl FromRow<'_, PgRow> for Request {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            case_key: row.try_get("case_key")?,
            person_key: row.try_get("person_key")?,
            service: word(row, "service")?,
            reporting_code: row.try_get("request_type")?,
            class: word(row, "class")?,
            channel: row.try_get("channel")?,
            received_on: Day(row.try_get("received_on")?),
            status: word(row, "status")?,
            outcome: optional_word(row, "outcome")?,
            outcome_kind: optional_word(row, "outcome_kind")?,
            times_reopened: count(row, "times_reopened")?,
            closed_on: row.try_get::<Option<_>, _>("closed_on")?.map(Day),
            ward: optional_word(row, "ward")?,
            statistical_area: optional_word(row, "statistical_area")?,
            land: optional_word(row, "land")?,
            incident_size: optional_word(row, "incident_size")?,
            found_by: optional_word(row, "found_by")?,
            events: row.try_get("events")?,
        })
    }
}
