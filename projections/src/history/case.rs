//! A case as its events leave it, and its row.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::london;
use schemas::clock::Due;
use schemas::command::InformationWanted;
use schemas::event::{CaseEvent, CaseStanding, Clocks, OutcomeKind, RequestClass, RequestSubmitted};
use schemas::moment::{Day, Instant};
use schemas::personal::{Answers, Protection};
use schemas::query::CaseStatus;
use schemas::{
    Answer, CaseId, CustomerId, OfficerId, OutcomeCode, Position, Private, Reference, RequestTypeCode, Sealed,
    ServiceName, TeamName, Version,
};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row as _};

use crate::columns::{as_integer, column, count, json, optional_json, optional_word, word, words};
use crate::error::{Fault, ProjectionError};
use crate::event::Event;
use crate::history::NAME;
use crate::history::remembered::Remembered;
use crate::projection::Generation;

/// A case. What is personal in it is sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its id: the id of its stream.
    pub id: CaseId,
    /// What people quote.
    pub reference: Reference,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// What was asked for.
    pub request_type: RequestTypeCode,
    /// What kind of case that makes.
    pub class: RequestClass,
    /// The version of the catalogue that it is handled under.
    pub catalogue_version: String,
    /// Where it is.
    pub status: CaseStatus,
    /// What came of it, while it is closed.
    pub outcome: Option<OutcomeCode>,
    /// Whether that is a decision or a completion.
    pub outcome_kind: Option<OutcomeKind>,
    /// Whose case it is; none where the report was anonymous.
    pub customer_id: Option<CustomerId>,
    /// The team that has it.
    pub team: TeamName,
    /// The officer of that team, where one is named.
    pub officer: Option<OfficerId>,
    /// The day that its clocks started from.
    pub received_on: Day,
    /// When the request was made.
    pub opened_at: Instant,
    /// When it was closed or cancelled, unless it is open again.
    pub closed_at: Option<Instant>,
    /// What it waits for from the person whose case it is.
    pub waiting_for: BTreeSet<InformationWanted>,
    /// Its clocks, as its events tell them.
    pub clocks: Clocks,
    /// How often it was reopened.
    pub reopened: u32,
    /// The sequence of its last event.
    pub version: Version,
    /// The position of its last event.
    pub position: Position,
    /// What it is about.
    pub description: Option<Sealed>,
    /// Where it is about.
    pub place: Option<Sealed>,
    /// The answers to its type's own questions.
    pub answers: Answers,
}

/// Where in the log an event of a case stands, and when it happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occurrence {
    pub(crate) case_id: CaseId,
    pub(crate) sequence: Version,
    pub(crate) position: Position,
    pub(crate) occurred_at: Instant,
}

impl From<&Event> for Occurrence {
    fn from(event: &Event) -> Self {
        let stored = &event.stored;
        Self {
            case_id: CaseId(stored.aggregate_id.0),
            sequence: stored.sequence,
            position: stored.position,
            occurred_at: stored.occurred_at.into(),
        }
    }
}

/// The sealed value. [`Event::read`] has refused open ones.
pub(crate) fn sealed<T, P: Protection>(value: Option<&Private<T, P>>) -> Option<Sealed> {
    value.and_then(Private::as_sealed).cloned()
}

impl Case {
    /// The case after one more of its events; `None` where the first is not a submission, or a later one is.
    pub(crate) fn after(before: Option<Self>, at: &Occurrence, event: &CaseEvent) -> Option<Self> {
        let mut case = match (before, event) {
            (None, CaseEvent::RequestSubmitted(submitted)) => {
                let mut case = Self::submitted(at, submitted);
                case.clocks.apply(event, Some(at.occurred_at));
                return Some(case);
            }
            (Some(case), event) if !matches!(event, CaseEvent::RequestSubmitted(_)) => case,
            _ => return None,
        };
        case.version = at.sequence;
        case.position = at.position;
        case.change(at, event);
        case.clocks.apply(event, Some(at.occurred_at));
        Some(case)
    }

    fn submitted(at: &Occurrence, submitted: &RequestSubmitted) -> Self {
        Self {
            id: at.case_id,
            reference: submitted.reference.clone(),
            service: submitted.service.clone(),
            request_type: submitted.request_type.clone(),
            class: submitted.class,
            catalogue_version: submitted.catalogue_version.clone(),
            status: CaseStatus::Open,
            outcome: None,
            outcome_kind: None,
            customer_id: submitted.customer_id,
            team: submitted.team.clone(),
            officer: None,
            received_on: submitted.received_on,
            opened_at: at.occurred_at,
            closed_at: None,
            waiting_for: BTreeSet::new(),
            clocks: Clocks::default(),
            reopened: 0,
            version: at.sequence,
            position: at.position,
            description: sealed(submitted.description.as_ref()),
            place: sealed(submitted.place.as_ref()),
            answers: submitted.answers.clone(),
        }
    }

    fn change(&mut self, at: &Occurrence, event: &CaseEvent) {
        match event {
            CaseEvent::RequestUpdated(updated) => {
                self.description = sealed(updated.description.as_ref()).or(self.description.take());
                self.place = sealed(updated.place.as_ref()).or(self.place.take());
                self.answers.extend(updated.answers.clone());
            }
            CaseEvent::RequestAssigned(assigned) => {
                self.team = assigned.team.clone();
                self.officer = assigned.officer.clone();
            }
            CaseEvent::RequestCancelled(_) => {
                self.status = CaseStatus::Cancelled;
                self.waiting_for.clear();
                self.closed_at = Some(at.occurred_at);
            }
            CaseEvent::RequestClosed(closed) => {
                self.status = CaseStatus::Closed;
                self.waiting_for.clear();
                self.outcome = Some(closed.outcome.clone());
                self.outcome_kind = Some(closed.outcome_kind);
                self.closed_at = Some(at.occurred_at);
            }
            CaseEvent::RequestReopened(reopened) => {
                self.status = CaseStatus::Open;
                self.outcome = None;
                self.outcome_kind = None;
                self.closed_at = None;
                self.reopened = reopened.times;
                self.team = reopened.team.clone();
                self.officer = None;
            }
            CaseEvent::InformationAskedFor(asked) => _ = self.waiting_for.insert(asked.wanted),
            CaseEvent::InformationProvided(provided) => {
                self.waiting_for.remove(&provided.wanted);
                self.answers.extend(provided.answers.clone());
            }
            CaseEvent::TypeChanged(changed) => {
                self.request_type = changed.request_type.clone();
                self.class = changed.class;
                self.team = changed.team.clone();
                self.officer = None;
                self.answers = changed.answers.clone();
            }
            CaseEvent::CaseMoved(moved) => self.customer_id = Some(moved.customer_id),
            CaseEvent::EntryCorrected(corrected) => self.stand(&corrected.standing),
            // Told in the timeline; they change nothing of the case's row. A submission stands only at the beginning.
            CaseEvent::RequestSubmitted(_)
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
            | CaseEvent::IncidentRecorded(_)
            | CaseEvent::EnforcementActionTaken(_)
            | CaseEvent::ActionResultRecorded(_)
            | CaseEvent::ClockApproaching(_)
            | CaseEvent::ClockOverdue(_)
            | CaseEvent::ClocksRecomputed(_)
            | CaseEvent::NotificationSent(_)
            | CaseEvent::NotificationFailed(_) => {}
        }
    }
}

impl Case {
    /// The next day by which something has to be done: the earliest of its running clocks.
    #[must_use]
    pub fn due_on(&self) -> Option<Day> {
        let running = self.clocks.iter().filter(|(_, clock)| clock.runs);
        let days = running.filter_map(|(_, clock)| match clock.due {
            Due::On(day) => Some(day),
            Due::At(at) => Some(london::day_of(at.get())),
            Due::Suspended | Due::Lapsed | Due::NotApplicable | Due::Unknown => None,
        });
        days.min()
    }

    /// As a correction says that it stands.
    fn stand(&mut self, standing: &CaseStanding) {
        self.status = standing.status;
        self.outcome = standing.outcome.clone();
        self.outcome_kind = standing.outcome_kind;
        self.closed_at = standing.ended_at;
        self.team = standing.team.clone();
        self.officer = standing.officer.clone();
        self.waiting_for = standing.waiting_for.iter().copied().collect();
        self.reopened = standing.times_reopened;
    }
}

/// Applies events of cases to their rows, and to what is remembered of them.
pub(super) async fn apply(
    transaction: &mut PgConnection,
    generation: Generation,
    events: &[(&Event, &CaseEvent)],
    remembered: &mut Remembered,
) -> Result<(), ProjectionError> {
    let ids = events.iter().map(|(event, _)| CaseId(event.stored.aggregate_id.0));
    let unknown: Vec<_> = ids.filter(|id| !remembered.contains(*id)).map(|id| id.0).collect();
    let mut cases: BTreeMap<CaseId, Case> = BTreeMap::new();
    if !unknown.is_empty() {
        let held: Vec<Case> = sqlx::query_as(include_str!("../../sql/history/select_cases.sql"))
            .bind(generation.0)
            .bind(unknown)
            .fetch_all(&mut *transaction)
            .await?;
        cases.extend(held.into_iter().map(|case| (case.id, case)));
    }
    for (event, record) in events {
        let at = Occurrence::from(*event);
        let before = cases.remove(&at.case_id).or_else(|| remembered.take(at.case_id));
        let fault = |fault| ProjectionError::Implausible {
            projection: NAME,
            position: at.position,
            fault,
        };
        if at.sequence.0 != before.as_ref().map_or(0, |case| case.version.0) + 1 {
            return Err(fault(Fault::Sequence));
        }
        let case = Case::after(before, &at, record).ok_or_else(|| fault(Fault::Beginning))?;
        cases.insert(case.id, case);
    }
    let cases: Vec<Case> = cases.into_values().collect();
    upsert(transaction, generation, &cases).await?;
    cases.into_iter().for_each(|case| remembered.keep(case));
    Ok(())
}

async fn upsert(transaction: &mut PgConnection, generation: Generation, cases: &[Case]) -> Result<(), ProjectionError> {
    let json = |value: &Option<Sealed>| value.as_ref().map(to_json).transpose();
    let descriptions: Vec<_> = cases
        .iter()
        .map(|case| json(&case.description))
        .collect::<Result<_, _>>()?;
    let places: Vec<_> = cases.iter().map(|case| json(&case.place)).collect::<Result<_, _>>()?;
    let answers: Vec<_> = cases
        .iter()
        .map(|case| to_json(&case.answers))
        .collect::<Result<_, _>>()?;
    let clocks: Vec<_> = cases
        .iter()
        .map(|case| to_json(&case.clocks))
        .collect::<Result<_, _>>()?;
    sqlx::query(include_str!("../../sql/history/upsert_cases.sql"))
        .bind(generation.0)
        .bind(column(cases, |case| case.id.0))
        .bind(column(cases, |case| case.reference.as_str()))
        .bind(column(cases, |case| case.service.as_str()))
        .bind(column(cases, |case| case.request_type.as_str()))
        .bind(column(cases, |case| case.class.as_str()))
        .bind(column(cases, |case| case.catalogue_version.as_str()))
        .bind(column(cases, |case| case.status.as_str()))
        .bind(column(cases, |case| case.outcome.as_ref().map(OutcomeCode::as_str)))
        .bind(column(cases, |case| case.outcome_kind.map(|kind| kind.as_str())))
        .bind(column(cases, |case| case.customer_id.map(|id| id.0)))
        .bind(column(cases, |case| case.team.as_str()))
        .bind(column(cases, |case| case.officer.as_ref().map(OfficerId::as_str)))
        .bind(column(cases, |case| case.received_on.0))
        .bind(column(cases, |case| case.opened_at.get()))
        .bind(column(cases, |case| case.closed_at.map(Instant::get)))
        .bind(column(cases, |case| waiting_for(&case.waiting_for)))
        .bind(column(cases, |case| as_integer(case.reopened)))
        .bind(column(cases, |case| case.version.0))
        .bind(column(cases, |case| case.position.0))
        .bind(descriptions)
        .bind(places)
        .bind(answers)
        .bind(clocks)
        .bind(column(cases, |case| case.due_on().map(|day| day.0)))
        .execute(transaction)
        .await?;
    Ok(())
}

/// What a case waits for, as words with spaces between: one element a case, as all columns are given.
fn waiting_for(wanted: &BTreeSet<InformationWanted>) -> String {
    wanted
        .iter()
        .map(|wanted| wanted.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

/// JSON text for a column. Sealed values and what the catalogue opened can always be written.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, ProjectionError> {
    serde_json::to_string(value).map_err(|error| ProjectionError::Statement(sqlx::Error::Encode(Box::new(error))))
}

/// Answers as a row holds them: what stands there in clear, the catalogue opened before it was recorded.
fn recorded(answers: Answers) -> Answers {
    let open = |answer| match answer {
        Answer::Given(value, _) => Answer::Open(value),
        recorded => recorded,
    };
    answers
        .into_iter()
        .map(|(question, answer)| (question, open(answer)))
        .collect()
}

impl FromRow<'_, PgRow> for Case {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: CaseId(row.try_get("case_id")?),
            reference: word(row, "reference")?,
            service: word(row, "service")?,
            request_type: word(row, "request_type")?,
            class: word(row, "class")?,
            catalogue_version: row.try_get("catalogue_version")?,
            status: word(row, "status")?,
            outcome: optional_word(row, "outcome")?,
            outcome_kind: optional_word(row, "outcome_kind")?,
            customer_id: row.try_get::<Option<_>, _>("customer_id")?.map(CustomerId),
            team: word(row, "team")?,
            officer: optional_word(row, "officer")?,
            received_on: Day(row.try_get("received_on")?),
            opened_at: Instant::new(row.try_get("opened_at")?),
            closed_at: row.try_get::<Option<_>, _>("closed_at")?.map(Instant::new),
            waiting_for: words(row, "waiting_for")?,
            reopened: count(row, "reopened")?,
            version: Version(row.try_get("version")?),
            position: Position(row.try_get("position")?),
            description: optional_json(row, "description")?,
            place: optional_json(row, "place")?,
            answers: recorded(json(row, "answers")?),
            clocks: json(row, "clocks")?,
        })
    }
}
