//! From an event to the notices it asks for.

use std::sync::Arc;

use catalogue::{Catalogue, london};
use event_store::StoredEvent;
use schemas::clock::{ClockStanding, Due};
use schemas::command::{ActorKind, Attendance, Decider, NoticeMedium, PreferredMedium};
use schemas::event::{CaseEvent, CustomerEvent, EventError, EventRecord, RequestSubmitted};
use schemas::metadata::EventMetadata;
use schemas::moment::Day;
use schemas::{CaseId, ClientName, CustomerId, Position, QuestionId, Reference, RequestTypeCode, Sealed};
use sqlx::postgres::PgConnection;
use sqlx::{Row as _, query, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::delivery::{AppointmentOf, Delivery, DeliveryState, MessageId};
use crate::error::NotifierError;
use crate::table;

/// The purpose of the consent whose withdrawal forbids emails. That it was never given forbids nothing: a council answers a
/// request as its task, not by consent.
pub const EMAIL_CONSENT: &str = "email_updates";

/// The entries that the person was told of: where one is struck out, they are told that too.
const TOLD: [&str; 4] = [
    "RequestClosed",
    "RequestCancelled",
    "RequestReopened",
    "AttendanceRecorded",
];

/// What decides which notices go, and what they are called.
#[derive(Clone, Debug)]
pub struct Follower {
    /// Which request type sends which notice on which event.
    pub catalogue: Arc<Catalogue>,
    /// The client that the notifier sends as. What it did itself it does not tell of.
    pub client: ClientName,
    /// The domain in the Message-IDs.
    pub domain: String,
}

impl Follower {
    /// The position of the last event whose effect is stored.
    ///
    /// # Errors
    /// [`NotifierError::Unavailable`], [`NotifierError::Statement`].
    pub async fn position(connection: &mut PgConnection) -> Result<Position, NotifierError> {
        Ok(Position(
            query_scalar(include_str!("../sql/position.sql"))
                .fetch_one(connection)
                .await?,
        ))
    }

    /// Takes events in, in the transaction of `connection`: what they say of customers and cases, the deliveries that they ask
    /// for, and the position of the last. An event that has its effect already changes nothing.
    ///
    /// # Errors
    /// [`NotifierError::Event`] and [`NotifierError::UnknownRequestType`]: stop at that position.
    /// [`NotifierError::Gap`]: begin again from the stored position. [`NotifierError::Unavailable`],
    /// [`NotifierError::Statement`].
    pub async fn apply(
        &self,
        connection: &mut PgConnection,
        events: &[StoredEvent],
        now: OffsetDateTime,
    ) -> Result<(), NotifierError> {
        let held = query_scalar(include_str!("../sql/hold_checkpoint.sql"))
            .fetch_one(&mut *connection)
            .await?;
        let cut_over = query_scalar(include_str!("../sql/cut_over.sql"))
            .fetch_one(&mut *connection)
            .await?;
        let mut checkpoint = Position(held);
        for event in events.iter().skip_while(|event| event.position.0 <= held) {
            if event.position != checkpoint.next() {
                return Err(NotifierError::Gap {
                    position: event.position,
                    checkpoint,
                });
            }
            self.apply_one(connection, event, cut_over, now).await?;
            checkpoint = event.position;
        }
        query(include_str!("../sql/advance.sql"))
            .bind(checkpoint.0)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn apply_one(
        &self,
        connection: &mut PgConnection,
        event: &StoredEvent,
        cut_over: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<(), NotifierError> {
        let record = EventRecord::read(
            &event.aggregate_type,
            &event.event_type,
            &event.event_version,
            &event.payload,
        );
        match record.map_err(|source| NotifierError::Event {
            position: event.position,
            source,
        })? {
            EventRecord::Customer(customer) => follow_customer(connection, event, customer).await,
            EventRecord::Round(_) => Ok(()),
            EventRecord::Case(case) => {
                match &case {
                    CaseEvent::RequestSubmitted(submitted) => remember_case(connection, event, submitted).await?,
                    CaseEvent::TypeChanged(changed) => {
                        let right = changed.request_type.as_str();
                        change_case(connection, event, Some(right), None).await?;
                    }
                    CaseEvent::CaseMoved(moved) => {
                        change_case(connection, event, None, Some(moved.customer_id)).await?
                    }
                    _ => {}
                }
                let metadata = metadata(event)?;
                if event.occurred_at < cut_over || self.is_ours(&metadata) {
                    return Ok(());
                }
                match self.delivery(connection, event, case, metadata, now).await? {
                    Some(delivery) => table::queue(connection, &delivery).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// The delivery that an event of a case asks for.
    async fn delivery(
        &self,
        connection: &mut PgConnection,
        event: &StoredEvent,
        case: CaseEvent,
        metadata: EventMetadata,
        now: OffsetDateTime,
    ) -> Result<Option<Delivery>, NotifierError> {
        let case_id = CaseId(event.aggregate_id.uuid());
        let Some(known) = known_case(connection, event.position, case_id).await? else {
            return Ok(None);
        };
        let Some(request_type) = self.catalogue.request_type(&known.request_type) else {
            let request_type = known.request_type.to_string();
            return Err(NotifierError::UnknownRequestType {
                position: event.position,
                request_type,
            });
        };
        let Some(notice) = request_type.notice_on(case.name()) else {
            return Ok(None);
        };
        let (mut outcome, mut decided_by, mut answer_by) = (None, None, None);
        let (mut exemptions, mut corrected_to, mut received_on) = (Vec::new(), None, None);
        let appointment = appointment_of(&case);
        let reasons = match case {
            CaseEvent::RequestSubmitted(submitted) => {
                let taken_down_on = london::day_of(event.occurred_at);
                received_on = Some(submitted.received_on).filter(|day| *day != taken_down_on);
                None
            }
            CaseEvent::RequestClosed(closed) => {
                (outcome, decided_by) = (Some(closed.outcome), closed.decided_by);
                exemptions = closed.exemptions;
                closed.reasons
            }
            CaseEvent::InformationAskedFor(asked) => {
                answer_by = asked.answer_by;
                Some(asked.question)
            }
            CaseEvent::TimeExtended(extended) => {
                answer_by = last_day(&extended.clocks);
                Some(extended.explanation)
            }
            CaseEvent::RemedyAgreed(agreed) => {
                answer_by = Some(agreed.due_on);
                Some(agreed.remedy)
            }
            CaseEvent::EntryCorrected(corrected) => {
                // Only what the person was told has to be taken back.
                if !TOLD.contains(&corrected.entry_event.as_str()) {
                    return Ok(None);
                }
                corrected_to = Some(corrected.standing.status);
                outcome = corrected.standing.outcome;
                Some(corrected.reason)
            }
            CaseEvent::RequestAcknowledged(acknowledged) => {
                answer_by = last_day(&acknowledged.clocks);
                None
            }
            // Whoever came knows it.
            CaseEvent::AttendanceRecorded(recorded) if recorded.attendance == Attendance::Attended => return Ok(None),
            _ => None,
        };
        Ok(Some(Delivery {
            position: event.position,
            recipient: known.customer_id,
            medium: NoticeMedium::Email,
            event_id: event.event_id,
            correlation_id: metadata.correlation_id,
            case_id,
            reference: known.reference,
            request_type: known.request_type,
            notice: notice.clone(),
            occurred_at: event.occurred_at,
            outcome,
            decided_by_officer: matches!(decided_by, Some(Decider::Officer { .. })),
            reasons: reasons.map(|reasons| sealed(event, &reasons)).transpose()?,
            answer_by,
            received_on,
            exemptions,
            corrected_to,
            appointment,
            message_id: MessageId::new(event.event_id, known.customer_id, &self.domain),
            queued_at: now,
            state: if known.reachable {
                DeliveryState::Pending
            } else {
                DeliveryState::NoAddress
            },
            attempts: 0,
            last_code: None,
            finished_at: (!known.reachable).then_some(now),
            record_attempts: 0,
        }))
    }

    fn is_ours(&self, metadata: &EventMetadata) -> bool {
        let acted = metadata.actor_kind == ActorKind::System.as_str()
            && metadata.actor_id.as_deref() == Some(self.client.as_str());
        acted || metadata.client == self.client
    }
}

/// The appointment that an event is about.
fn appointment_of(event: &CaseEvent) -> Option<AppointmentOf> {
    let (calendar, slot, minutes, attendance) = match event {
        CaseEvent::AppointmentBooked(event) => (&event.calendar, event.slot, event.minutes, None),
        CaseEvent::AppointmentMoved(event) => (&event.calendar, event.slot, event.minutes, None),
        CaseEvent::AppointmentCancelled(event) => (&event.calendar, event.slot, event.minutes, None),
        CaseEvent::AttendanceRecorded(event) => (&event.calendar, event.slot, event.minutes, Some(event.attendance)),
        _ => return None,
    };
    Some(AppointmentOf {
        calendar: calendar.clone(),
        slot,
        minutes,
        attendance,
    })
}

/// The day by which the council has to answer: the last of those that the law sets.
fn last_day(clocks: &[ClockStanding]) -> Option<Day> {
    let days = clocks
        .iter()
        .filter(|clock| !clock.target)
        .filter_map(|clock| match clock.due {
            Due::On(day) => Some(day),
            _ => None,
        });
    days.max()
}

async fn follow_customer(
    connection: &mut PgConnection,
    event: &StoredEvent,
    customer: CustomerEvent,
) -> Result<(), NotifierError> {
    let id = event.aggregate_id.uuid();
    match customer {
        CustomerEvent::CustomerRegistered(registered) => {
            let title = registered
                .title
                .as_ref()
                .map(|title| sealed(event, title))
                .transpose()?;
            let email = registered
                .email
                .as_ref()
                .map(|email| sealed(event, email))
                .transpose()?;
            query(include_str!("../sql/put_contact.sql"))
                .bind(id)
                .bind(title.as_ref().map(Sealed::token))
                .bind(sealed(event, &registered.name)?.token())
                .bind(email.as_ref().map(Sealed::token))
                .execute(connection)
                .await?;
        }
        CustomerEvent::ContactDetailsUpdated(updated) => {
            let title = updated
                .title
                .as_ref()
                .and_then(Option::as_ref)
                .map(|title| sealed(event, title))
                .transpose()?;
            let name = updated.name.as_ref().map(|name| sealed(event, name)).transpose()?;
            let email = updated
                .email
                .as_ref()
                .and_then(Option::as_ref)
                .map(|email| sealed(event, email))
                .transpose()?;
            query(include_str!("../sql/change_contact.sql"))
                .bind(id)
                .bind(updated.title.is_some())
                .bind(title.as_ref().map(Sealed::token))
                .bind(name.as_ref().map(Sealed::token))
                .bind(updated.email.is_some())
                .bind(email.as_ref().map(Sealed::token))
                .execute(connection)
                .await?;
        }
        CustomerEvent::ConsentRecorded(recorded) => consent(connection, id, &recorded.purpose, false).await?,
        CustomerEvent::ConsentWithdrawn(withdrawn) => consent(connection, id, &withdrawn.purpose, true).await?,
        CustomerEvent::DeathRecorded(_) => mark(connection, include_str!("../sql/deceased.sql"), id, true).await?,
        CustomerEvent::DeathRecordCorrected(_) => {
            mark(connection, include_str!("../sql/deceased.sql"), id, false).await?
        }
        CustomerEvent::ContactPreferencesSet(set) => {
            let other = set.medium.is_some_and(|medium| medium != PreferredMedium::Email);
            mark(connection, include_str!("../sql/medium.sql"), id, other).await?;
        }
        CustomerEvent::CustomerMerged(merged) => merge(connection, id, Some(merged.into)).await?,
        CustomerEvent::CustomerParted(_) => merge(connection, id, None).await?,
        CustomerEvent::AdjustmentsRecorded(_)
        | CustomerEvent::RepresentativeAuthorised(_)
        | CustomerEvent::RepresentationEnded(_)
        | CustomerEvent::HazardMarkerSet(_)
        | CustomerEvent::HazardMarkerEnded(_) => {}
    }
    Ok(())
}

async fn mark(
    connection: &mut PgConnection,
    statement: &'static str,
    customer: Uuid,
    holds: bool,
) -> Result<(), NotifierError> {
    query(statement).bind(customer).bind(holds).execute(connection).await?;
    Ok(())
}

async fn merge(connection: &mut PgConnection, customer: Uuid, kept: Option<CustomerId>) -> Result<(), NotifierError> {
    query(include_str!("../sql/merged.sql"))
        .bind(customer)
        .bind(kept.map(CustomerId::uuid))
        .execute(connection)
        .await?;
    Ok(())
}

async fn consent(
    connection: &mut PgConnection,
    customer: Uuid,
    purpose: &QuestionId,
    withdrawn: bool,
) -> Result<(), NotifierError> {
    if purpose.as_str() == EMAIL_CONSENT {
        query(include_str!("../sql/consent.sql"))
            .bind(customer)
            .bind(withdrawn)
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn remember_case(
    connection: &mut PgConnection,
    event: &StoredEvent,
    submitted: &RequestSubmitted,
) -> Result<(), NotifierError> {
    query(include_str!("../sql/put_case.sql"))
        .bind(event.aggregate_id.uuid())
        .bind(submitted.customer_id.map(CustomerId::uuid))
        .bind(submitted.reference.as_str())
        .bind(submitted.request_type.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// A case of another type, or of another customer, from now on.
async fn change_case(
    connection: &mut PgConnection,
    event: &StoredEvent,
    request_type: Option<&str>,
    customer_id: Option<CustomerId>,
) -> Result<(), NotifierError> {
    query(include_str!("../sql/change_case.sql"))
        .bind(event.aggregate_id.uuid())
        .bind(request_type)
        .bind(customer_id.map(CustomerId::uuid))
        .execute(connection)
        .await?;
    Ok(())
}

struct KnownCase {
    customer_id: CustomerId,
    reference: Reference,
    request_type: RequestTypeCode,
    reachable: bool,
}

async fn known_case(
    connection: &mut PgConnection,
    position: Position,
    case_id: CaseId,
) -> Result<Option<KnownCase>, NotifierError> {
    let row = query(include_str!("../sql/case.sql"))
        .bind(case_id.uuid())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let damaged = || NotifierError::DamagedRow { position };
    Ok(Some(KnownCase {
        customer_id: CustomerId(row.try_get::<Uuid, _>("customer_id")?),
        reference: row.try_get::<&str, _>("reference")?.parse().map_err(|_| damaged())?,
        request_type: RequestTypeCode::new(row.try_get::<&str, _>("request_type")?).map_err(|_| damaged())?,
        reachable: row.try_get("reachable")?,
    }))
}

fn metadata(event: &StoredEvent) -> Result<EventMetadata, NotifierError> {
    serde_json::from_str(&event.metadata).map_err(|_| damaged(event))
}

/// The sealed form of a personal value. Every event holds it so; an open one was not written by us.
fn sealed<T, P: schemas::personal::Protection>(
    event: &StoredEvent,
    value: &schemas::Private<T, P>,
) -> Result<Sealed, NotifierError> {
    value.as_sealed().cloned().ok_or_else(|| damaged(event))
}

fn damaged(event: &StoredEvent) -> NotifierError {
    let (event_type, event_version) = (event.event_type.clone(), event.event_version.clone());
    NotifierError::Event {
        position: event.position,
        source: EventError::Damaged {
            event_type,
            event_version,
        },
    }
}
