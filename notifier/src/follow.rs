//! From an event to the notices it asks for.

mod case;
mod customer;

use std::sync::Arc;

use catalogue::{Catalogue, london};
use event_store::StoredEvent;
use schemas::clock::{ClockStanding, Due};
use schemas::command::{ActorKind, Attendance, Decider, NoticeMedium};
use schemas::event::{AppointmentCancellation, CaseEvent, EntitlementEvent, EventError, EventRecord};
use schemas::metadata::EventMetadata;
use schemas::moment::Day;
use schemas::{CaseId, ClientName, Position, QuestionId, Sealed};
use sqlx::postgres::PgConnection;
use sqlx::{query, query_scalar};
use time::{Duration, OffsetDateTime};

use self::case::{KnownCase, KnownCases};
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

/// How many days after its end an entitlement's holder is still told of it.
const NO_NEWS_AFTER_DAYS: i64 = 31;

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
        let events = &events[events.partition_point(|event| event.position.0 <= held)..];
        let mut cases = KnownCases::of(connection, events).await?;
        for event in events {
            if event.position != checkpoint.next() {
                return Err(NotifierError::Gap {
                    position: event.position,
                    checkpoint,
                });
            }
            self.apply_one(connection, &mut cases, event, cut_over, now).await?;
            checkpoint = event.position;
        }
        cases.write(connection).await?;
        query(include_str!("../sql/advance.sql"))
            .bind(checkpoint.0)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn apply_one(
        &self,
        connection: &mut PgConnection,
        cases: &mut KnownCases,
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
            EventRecord::Customer(customer) => customer::follow(connection, event, customer).await,
            EventRecord::Round(_) => Ok(()),
            EventRecord::Entitlement(entitlement) => {
                if event.occurred_at < cut_over {
                    return Ok(());
                }
                match self.of_a_term(event, &entitlement, now)? {
                    Some(delivery) => queue(connection, delivery).await,
                    None => Ok(()),
                }
            }
            EventRecord::Case(case) => {
                cases.remember(event, &case);
                let metadata = metadata(event)?;
                if event.occurred_at < cut_over || self.is_ours(&metadata) {
                    return Ok(());
                }
                let Some(asked) = self.asked_for(cases, event, case.name())? else {
                    return Ok(());
                };
                match self.delivery(event, case, (asked, metadata), now)? {
                    Some(delivery) => queue(connection, delivery).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// The delivery that an event of a case asks for.
    fn delivery(
        &self,
        event: &StoredEvent,
        case: CaseEvent,
        (asked, metadata): (AskedFor, EventMetadata),
        now: OffsetDateTime,
    ) -> Result<Option<Delivery>, NotifierError> {
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
            CaseEvent::AppointmentBooked(booked) => {
                answer_by = booked.pay_by.map(|at| london::day_of(at.get()));
                None
            }
            CaseEvent::AppointmentCancelled(cancelled) if cancelled.why == AppointmentCancellation::NotPaid => {
                answer_by = Some(london::day_of(event.occurred_at));
                None
            }
            // What came of an appointment may be written down after the case has ended: nobody is asked to book another then.
            CaseEvent::AttendanceRecorded(_) if asked.known.ended => return Ok(None),
            // Whoever came knows it.
            CaseEvent::AttendanceRecorded(recorded) if recorded.attendance == Attendance::Attended => return Ok(None),
            _ => None,
        };
        Ok(Some(Delivery {
            outcome,
            decided_by_officer: matches!(decided_by, Some(Decider::Officer { .. })),
            reasons: reasons.map(|reasons| sealed(event, &reasons)).transpose()?,
            answer_by,
            received_on,
            exemptions,
            corrected_to,
            appointment,
            ..self.of(event, asked, metadata, now)
        }))
    }

    /// The delivery that an event of an entitlement asks for. It goes to whom the entitlement is, and what becomes of it is recorded on the
    /// case that granted the term.
    fn of_a_term(
        &self,
        event: &StoredEvent,
        entitlement: &EntitlementEvent,
        now: OffsetDateTime,
    ) -> Result<Option<Delivery>, NotifierError> {
        let name = entitlement.name();
        let (case_id, customer_id, reference, request_type, ends_on) = match entitlement.clone() {
            EntitlementEvent::EntitlementRenewalDue(due) => (
                due.case_id,
                due.customer_id,
                due.reference,
                due.request_type,
                due.ends_on,
            ),
            EntitlementEvent::EntitlementExpired(expired) => {
                let ends_on = expired.ends_on;
                (
                    expired.case_id,
                    expired.customer_id,
                    expired.reference,
                    expired.request_type,
                    ends_on,
                )
            }
            _ => return Ok(None),
        };
        // What was over long before anybody wrote it down is no news.
        let over = ends_on.0.saturating_add(Duration::days(NO_NEWS_AFTER_DAYS));
        if london::day_of(event.occurred_at).0 > over {
            return Ok(None);
        }
        let Some(known_type) = self.catalogue.request_type(&request_type) else {
            // A badge outlives the type that granted it: others are not kept waiting for its reminder.
            tracing::warn!(position = event.position.0, %request_type, "the catalogue has this type no longer: its holder is not told");
            return Ok(None);
        };
        let Some(notice) = known_type.notice_on(name).cloned() else {
            return Ok(None);
        };
        let asked = AskedFor {
            case_id,
            known: KnownCase {
                customer_id,
                reference,
                request_type,
                // It is the term that is told of: the case that granted it has ended for long.
                ended: true,
            },
            notice,
        };
        Ok(Some(Delivery {
            answer_by: Some(ends_on),
            ..self.of(event, asked, metadata(event)?, now)
        }))
    }

    /// What is known of the case, and the notice that its type sends on an event of this name.
    fn asked_for(
        &self,
        cases: &KnownCases,
        event: &StoredEvent,
        name: &str,
    ) -> Result<Option<AskedFor>, NotifierError> {
        let case_id = CaseId(event.aggregate_id.uuid());
        let Some(known) = cases.get(event.position, case_id)? else {
            return Ok(None);
        };
        let Some(request_type) = self.catalogue.request_type(&known.request_type) else {
            let request_type = known.request_type.to_string();
            return Err(NotifierError::UnknownRequestType {
                position: event.position,
                request_type,
            });
        };
        let notice = request_type.notice_on(name).cloned();
        Ok(notice.map(|notice| AskedFor { case_id, known, notice }))
    }

    /// A delivery of an event, with nothing said yet of what the event says.
    fn of(&self, event: &StoredEvent, asked: AskedFor, metadata: EventMetadata, now: OffsetDateTime) -> Delivery {
        let AskedFor { case_id, known, notice } = asked;
        Delivery {
            position: event.position,
            recipient: known.customer_id,
            medium: NoticeMedium::Email,
            event_id: event.event_id,
            correlation_id: metadata.correlation_id,
            traceparent: metadata.traceparent,
            case_id,
            reference: known.reference,
            request_type: known.request_type,
            notice,
            occurred_at: event.occurred_at,
            outcome: None,
            decided_by_officer: false,
            reasons: None,
            answer_by: None,
            received_on: None,
            exemptions: Vec::new(),
            corrected_to: None,
            appointment: None,
            message_id: MessageId::new(event.event_id, known.customer_id, &self.domain),
            queued_at: now,
            state: DeliveryState::Pending,
            attempts: 0,
            last_code: None,
            finished_at: None,
            record_attempts: 0,
        }
    }

    fn is_ours(&self, metadata: &EventMetadata) -> bool {
        let acted = metadata.actor_kind == ActorKind::System.as_str()
            && metadata.actor_id.as_deref() == Some(self.client.as_str());
        acted || metadata.client == self.client
    }
}

/// Queues a delivery. One to somebody who has no email address at this moment ends as soon as it is asked for.
async fn queue(connection: &mut PgConnection, mut delivery: Delivery) -> Result<(), NotifierError> {
    let reachable: Option<bool> = query_scalar(include_str!("../sql/is_reachable.sql"))
        .bind(delivery.recipient.uuid())
        .fetch_optional(&mut *connection)
        .await?;
    if reachable != Some(true) {
        delivery.state = DeliveryState::NoAddress;
        delivery.finished_at = Some(delivery.queued_at);
    }
    table::queue(connection, &delivery).await
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

/// A notice that is asked for, and the case that it is about.
struct AskedFor {
    case_id: CaseId,
    known: KnownCase,
    notice: QuestionId,
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
