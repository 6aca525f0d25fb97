//! Telling a case what became of a notice about it.

use async_trait::async_trait;
use schemas::command::{Delivery as Outcome, NoticeMedium};
use schemas::moment::Instant;
use schemas::result::CommandResult;
use schemas::{CaseId, ClientName, CommandId, CustomerId, EventId, Position, QuestionId};
use serde::Serialize;

use crate::delivery::Delivery;
use crate::error::NotifierError;

/// The command that records a delivery, ready to be sent. Each repeat is equal to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// Follows from event, recipient, medium and result: twice is once.
    pub command_id: CommandId,
    /// The case that it is recorded on.
    pub case_id: CaseId,
    /// What the event that the notice tells of belongs to.
    pub correlation_id: String,
    /// The event that the notice tells of.
    pub caused_by: EventId,
    /// The data of a `RecordNotification`, JSON.
    pub data: String,
}

/// Nobody answered. Send the same record again, later.
#[derive(Debug, thiserror::Error)]
#[error("the delivery could not be recorded yet ({reason}): it will be sent again with the same id")]
pub struct NoAnswer {
    /// What the bus said.
    pub reason: String,
}

/// Whoever takes the command: the bus, or a test. It is to be sent as a call (request and reply) that is not marked as repeated: then a
/// rejection leaves no record, and what was rejected for a fault of the settings can be accepted later.
#[async_trait]
pub trait DeliveryRecorder: Send + Sync {
    /// Sends the command and waits for its result.
    ///
    /// # Errors
    /// [`NoAnswer`].
    async fn record(&self, record: &DeliveryRecord) -> Result<CommandResult, NoAnswer>;
}

/// The data, in the order in which it is written: the same in every release, so that a repeat stays a repeat.
#[derive(Serialize)]
struct Data<'a> {
    actor: Actor<'a>,
    channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred_at: Option<Instant>,
    notice: &'a QuestionId,
    about_event: EventId,
    about_position: Position,
    recipient: CustomerId,
    medium: NoticeMedium,
    delivery: Outcome,
}

#[derive(Serialize)]
struct Actor<'a> {
    kind: &'static str,
    id: &'a ClientName,
}

impl DeliveryRecord {
    /// The command for a finished delivery, sent by `client`.
    ///
    /// # Errors
    /// [`NotifierError::DamagedRow`] where it is not finished or can't be said in the contract's terms.
    pub fn new(delivery: &Delivery, client: &ClientName) -> Result<Self, NotifierError> {
        let data = Data {
            actor: Actor {
                kind: "system",
                id: client,
            },
            channel: "system",
            // Clocks differ: a notice is never sent before what it tells of.
            occurred_at: delivery
                .finished_at
                .map(|at| Instant::new(at.max(delivery.occurred_at))),
            notice: &delivery.notice,
            about_event: delivery.event_id,
            about_position: delivery.position,
            recipient: delivery.recipient,
            medium: delivery.medium,
            delivery: delivery.recorded()?,
        };
        let damaged = |_| NotifierError::DamagedRow {
            position: delivery.position,
        };
        Ok(Self {
            command_id: delivery.command_id(),
            case_id: delivery.case_id,
            correlation_id: delivery.correlation_id.clone(),
            caused_by: delivery.event_id,
            data: serde_json::to_string(&data).map_err(damaged)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use schemas::command::{ActorKind, Command, CommandBody};
    use schemas::{Reference, RequestTypeCode};
    use time::OffsetDateTime;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::delivery::{DeliveryState, MessageId};

    const HAPPENED: OffsetDateTime = datetime!(2026-05-01 08:30 UTC);

    fn delivery(state: DeliveryState, finished_at: Option<OffsetDateTime>) -> Delivery {
        let (event_id, recipient) = (EventId(Uuid::from_u128(1)), CustomerId(Uuid::from_u128(2)));
        Delivery {
            received_on: None,
            appointment: None,
            exemptions: Vec::new(),
            corrected_to: None,
            position: Position(7),
            recipient,
            medium: NoticeMedium::Email,
            event_id,
            correlation_id: "c".to_owned(),
            traceparent: None,
            case_id: CaseId(Uuid::from_u128(3)),
            reference: Reference::of_number("WAS", 7).unwrap(),
            request_type: RequestTypeCode::new("missed-bin").unwrap(),
            notice: QuestionId::new("request_received").unwrap(),
            occurred_at: HAPPENED,
            outcome: None,
            decided_by_officer: false,
            reasons: None,
            answer_by: None,
            message_id: MessageId::new(event_id, recipient, "example.gov.uk"),
            queued_at: HAPPENED,
            state,
            attempts: 2,
            last_code: Some("550".to_owned()),
            finished_at,
            record_attempts: 0,
        }
    }

    fn record(state: DeliveryState, finished_at: OffsetDateTime) -> DeliveryRecord {
        DeliveryRecord::new(
            &delivery(state, Some(finished_at)),
            &ClientName::new("notifier").unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn each_record_is_a_command_of_the_contract() {
        for state in [
            DeliveryState::Sent,
            DeliveryState::Failed,
            DeliveryState::NoAddress,
            DeliveryState::ConsentWithdrawn,
            DeliveryState::Deceased,
            DeliveryState::PrefersAnotherMedium,
            DeliveryState::NotReadable,
        ] {
            let record = record(state, HAPPENED + time::Duration::MINUTE);
            let command = Command::read("RecordNotification", &record.data).unwrap();
            assert_eq!(command.circumstances.actor.kind, ActorKind::System);
            let CommandBody::RecordNotification(body) = command.body else {
                panic!("{:?}", command.body)
            };
            assert_eq!(
                (body.about_position, body.recipient),
                (Position(7), CustomerId(Uuid::from_u128(2)))
            );
            match (state, body.delivery) {
                (
                    DeliveryState::Sent,
                    Outcome::Sent {
                        message_id,
                        attempts: 2,
                    },
                ) => {
                    assert_eq!(
                        message_id.as_str(),
                        "<e5d8c0a0-048a-5db6-8f6e-2be415c1fe78@example.gov.uk>"
                    );
                }
                (DeliveryState::Failed, Outcome::Failed { code, attempts: 2, .. }) => assert_eq!(code.as_str(), "550"),
                (DeliveryState::NoAddress, Outcome::NoAddress)
                | (DeliveryState::ConsentWithdrawn, Outcome::ConsentWithdrawn { attempts: 2 })
                | (DeliveryState::Deceased, Outcome::Deceased { attempts: 2 })
                | (DeliveryState::PrefersAnotherMedium, Outcome::PrefersAnotherMedium { attempts: 2 })
                | (DeliveryState::NotReadable, Outcome::NotReadable { attempts: 2 }) => {}
                (_, other) => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_repeat_is_equal_to_the_byte_and_another_end_is_another_command() {
        let later = HAPPENED + time::Duration::MINUTE;
        let sent = record(DeliveryState::Sent, later);
        assert_eq!(sent, record(DeliveryState::Sent, later));
        assert_ne!(sent.command_id, record(DeliveryState::Failed, later).command_id);
    }

    #[test]
    fn a_notice_is_never_sent_before_what_it_tells_of() {
        let record = record(DeliveryState::Sent, HAPPENED - time::Duration::MINUTE);
        let command = Command::read("RecordNotification", &record.data).unwrap();
        assert_eq!(command.circumstances.occurred_at.unwrap(), Instant::new(HAPPENED));
    }

    #[test]
    fn what_is_not_finished_is_not_recorded() {
        let pending = delivery(DeliveryState::Pending, None);
        let record = DeliveryRecord::new(&pending, &ClientName::new("notifier").unwrap());
        assert!(matches!(
            record,
            Err(NotifierError::DamagedRow { position: Position(7) })
        ));
    }
}
