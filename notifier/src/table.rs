//! The rows of `notifier.deliveries`, and the statements on them.

use schemas::command::{Attendance, NoticeMedium, Slot};
use schemas::moment::Day;
use schemas::query::CaseStatus;
use schemas::text::RuleCode;
use schemas::{
    CalendarName, CaseId, CustomerId, EventId, OutcomeCode, Position, QuestionId, Reference, RequestTypeCode, Sealed,
};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Row as _, query};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::delivery::{AppointmentOf, Delivery, DeliveryState, MessageId, medium_word};
use crate::error::NotifierError;

/// Queues a delivery as it is; one that is there already stays as it is.
pub(crate) async fn queue(connection: &mut PgConnection, delivery: &Delivery) -> Result<(), NotifierError> {
    query(include_str!("../sql/queue.sql"))
        .bind(delivery.position.0)
        .bind(delivery.recipient.uuid())
        .bind(medium_word(delivery.medium))
        .bind(delivery.event_id.uuid())
        .bind(&delivery.correlation_id)
        .bind(delivery.case_id.uuid())
        .bind(delivery.reference.as_str())
        .bind(delivery.request_type.as_str())
        .bind(delivery.notice.as_str())
        .bind(delivery.occurred_at)
        .bind(delivery.outcome.as_ref().map(OutcomeCode::as_str))
        .bind(delivery.decided_by_officer)
        .bind(delivery.reasons.as_ref().map(Sealed::token))
        .bind(delivery.answer_by.map(|day| day.0))
        .bind(delivery.message_id.as_str())
        .bind(delivery.state.as_str())
        .bind(delivery.queued_at)
        .bind(delivery.exemptions.iter().map(RuleCode::as_str).collect::<Vec<_>>())
        .bind(delivery.corrected_to.map(CaseStatus::as_str))
        .bind(delivery.received_on.map(|day| day.0))
        .bind(delivery.appointment.as_ref().map(|of| of.calendar.as_str()))
        .bind(delivery.appointment.as_ref().map(|of| of.slot.day.0))
        .bind(delivery.appointment.as_ref().map(|of| of.slot.time.to_string()))
        .bind(delivery.appointment.as_ref().map(|of| i32::from(of.minutes)))
        .bind(
            delivery
                .appointment
                .as_ref()
                .and_then(|of| of.attendance)
                .map(Attendance::as_str),
        )
        .bind(delivery.traceparent.as_deref())
        .execute(connection)
        .await?;
    Ok(())
}

/// Claims the next delivery to send, until the transaction ends.
pub(crate) async fn claim_to_send(
    connection: &mut PgConnection,
    now: OffsetDateTime,
) -> Result<Option<Delivery>, NotifierError> {
    let row = query(include_str!("../sql/claim_to_send.sql"))
        .bind(now)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Claims the next delivery to record, until the transaction ends.
pub(crate) async fn claim_to_record(
    connection: &mut PgConnection,
    now: OffsetDateTime,
) -> Result<Option<Delivery>, NotifierError> {
    let row = query(include_str!("../sql/claim_to_record.sql"))
        .bind(now)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Ends a claimed delivery.
pub(crate) async fn finish(
    connection: &mut PgConnection,
    delivery: &Delivery,
    state: DeliveryState,
    code: Option<&str>,
    now: OffsetDateTime,
) -> Result<(), NotifierError> {
    query(include_str!("../sql/finish.sql"))
        .bind(delivery.position.0)
        .bind(delivery.recipient.uuid())
        .bind(medium_word(delivery.medium))
        .bind(state.as_str())
        .bind(column(delivery.attempts))
        .bind(code)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Puts off the next attempt to send a claimed delivery.
pub(crate) async fn postpone_sending(
    connection: &mut PgConnection,
    delivery: &Delivery,
    code: &str,
    until: OffsetDateTime,
) -> Result<(), NotifierError> {
    query(include_str!("../sql/postpone_sending.sql"))
        .bind(delivery.position.0)
        .bind(delivery.recipient.uuid())
        .bind(medium_word(delivery.medium))
        .bind(column(delivery.attempts))
        .bind(code)
        .bind(until)
        .execute(connection)
        .await?;
    Ok(())
}

/// Puts off the next attempt to record a claimed delivery.
pub(crate) async fn postpone_recording(
    connection: &mut PgConnection,
    delivery: &Delivery,
    until: OffsetDateTime,
    code: &str,
) -> Result<(), NotifierError> {
    query(include_str!("../sql/postpone_recording.sql"))
        .bind(delivery.position.0)
        .bind(delivery.recipient.uuid())
        .bind(medium_word(delivery.medium))
        .bind(until)
        .bind(code)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes how the command that records a claimed delivery was answered; `rejection` is the code of a rejection.
pub(crate) async fn recorded(
    connection: &mut PgConnection,
    delivery: &Delivery,
    rejection: Option<&str>,
) -> Result<(), NotifierError> {
    query(include_str!("../sql/recorded.sql"))
        .bind(delivery.position.0)
        .bind(delivery.recipient.uuid())
        .bind(medium_word(delivery.medium))
        .bind(if rejection.is_some() { "rejected" } else { "accepted" })
        .bind(rejection)
        .execute(connection)
        .await?;
    Ok(())
}

/// The appointment of a row; the inner `None` where it can't be read.
fn appointment(row: &PgRow) -> Result<Option<Option<AppointmentOf>>, NotifierError> {
    let calendar: Option<&str> = row.try_get("calendar")?;
    let (day, time): (Option<Date>, Option<&str>) = (row.try_get("slot_day")?, row.try_get("slot_time")?);
    let minutes: Option<i32> = row.try_get("slot_minutes")?;
    let attendance: Option<&str> = row.try_get("attendance")?;
    Ok(calendar.map(|calendar| {
        let attendance = match attendance {
            Some(word) => Some(*Attendance::ALL.iter().find(|known| known.as_str() == word)?),
            None => None,
        };
        Some(AppointmentOf {
            calendar: CalendarName::new(calendar).ok()?,
            slot: Slot {
                day: Day(day?),
                time: time?.parse().ok()?,
            },
            minutes: u16::try_from(minutes?).ok()?,
            attendance,
        })
    }))
}

fn column(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}

fn read(row: &PgRow) -> Result<Delivery, NotifierError> {
    let position = Position(row.try_get("position")?);
    let damaged = || NotifierError::DamagedRow { position };
    let number = |column: &str| -> Result<u32, NotifierError> {
        u32::try_from(row.try_get::<i32, _>(column)?).map_err(|_| damaged())
    };
    let medium: &str = row.try_get("medium")?;
    let exemptions: Vec<String> = row.try_get("exemptions")?;
    let exemptions = exemptions
        .iter()
        .map(|code| RuleCode::new(code).ok())
        .collect::<Option<Vec<_>>>();
    let corrected_to: Option<&str> = row.try_get("corrected_to")?;
    let status = |word: &str| CaseStatus::ALL.iter().copied().find(|status| status.as_str() == word);
    let outcome: Option<String> = row.try_get("outcome")?;
    Ok(Delivery {
        position,
        recipient: CustomerId(row.try_get::<Uuid, _>("recipient")?),
        medium: (medium == "email").then_some(NoticeMedium::Email).ok_or_else(damaged)?,
        event_id: EventId(row.try_get("event_id")?),
        correlation_id: row.try_get("correlation_id")?,
        traceparent: row.try_get("traceparent")?,
        case_id: CaseId(row.try_get("case_id")?),
        reference: row
            .try_get::<&str, _>("reference")?
            .parse::<Reference>()
            .map_err(|_| damaged())?,
        request_type: RequestTypeCode::new(row.try_get::<&str, _>("request_type")?).map_err(|_| damaged())?,
        notice: QuestionId::new(row.try_get::<&str, _>("notice")?).map_err(|_| damaged())?,
        occurred_at: row.try_get("occurred_at")?,
        outcome: outcome.map(OutcomeCode::new).transpose().map_err(|_| damaged())?,
        decided_by_officer: row.try_get("decided_by_officer")?,
        reasons: row.try_get::<Option<String>, _>("reasons")?.map(Sealed::from_token),
        answer_by: row.try_get::<Option<Date>, _>("answer_by")?.map(Day),
        received_on: row.try_get::<Option<Date>, _>("received_on")?.map(Day),
        exemptions: exemptions.ok_or_else(damaged)?,
        appointment: appointment(row)?.map_or(Ok(None), |of| of.ok_or_else(damaged).map(Some))?,
        corrected_to: corrected_to.map(|word| status(word).ok_or_else(damaged)).transpose()?,
        message_id: MessageId::from_row(row.try_get("message_id")?),
        queued_at: row.try_get("queued_at")?,
        state: DeliveryState::read(row.try_get("state")?).ok_or_else(damaged)?,
        attempts: number("attempts")?,
        last_code: row.try_get("last_code")?,
        finished_at: row.try_get("finished_at")?,
        record_attempts: number("record_attempts")?,
    })
}
