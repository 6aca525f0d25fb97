//! One notice to one person, and what became of it.

use std::fmt;

use schemas::command::{Attendance, Delivery as Recorded, NoticeMedium, Slot};
use schemas::moment::Day;
use schemas::query::CaseStatus;
use schemas::text::{ExternalId, RuleCode};
use schemas::{
    CalendarName, CaseId, CommandId, CustomerId, EventId, OutcomeCode, Position, QuestionId, Reference,
    RequestTypeCode, Sealed,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::NotifierError;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for its next attempt.
    Pending,
    /// The mail server took it.
    Sent,
    /// It will not be tried again.
    Failed,
    /// There was nowhere to send it.
    NoAddress,
    /// Its customer does not want emails.
    ConsentWithdrawn,
    /// Its customer died.
    Deceased,
    /// Its customer wants to be reached by another medium.
    PrefersAnotherMedium,
    /// Its customer's data was erased, or a key that it needs is gone.
    NotReadable,
}

impl DeliveryState {
    /// The word in the table, and in the id of the command that records it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::NoAddress => "no_address",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::Deceased => "deceased",
            Self::PrefersAnotherMedium => "prefers_another_medium",
            Self::NotReadable => "not_readable",
        }
    }

    /// Reads the table's word.
    pub(crate) fn read(word: &str) -> Option<Self> {
        let all = [
            Self::Pending,
            Self::Sent,
            Self::Failed,
            Self::NoAddress,
            Self::ConsentWithdrawn,
            Self::Deceased,
            Self::PrefersAnotherMedium,
            Self::NotReadable,
        ];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

/// The word for a medium in the table.
pub(crate) const fn medium_word(medium: NoticeMedium) -> &'static str {
    match medium {
        NoticeMedium::Email => "email",
    }
}

/// What a notice says of an appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppointmentOf {
    /// The calendar that it is in.
    pub calendar: CalendarName,
    /// Its slot.
    pub slot: Slot,
    /// How long it lasts, in minutes.
    pub minutes: u16,
    /// What became of it, where the event says so.
    pub attendance: Option<Attendance>,
}

/// A row of `notifier.deliveries`. What it says of the case is what its event said, whatever came after.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The position of the event that it tells of.
    pub position: Position,
    /// Whom it is for.
    pub recipient: CustomerId,
    /// What it goes by.
    pub medium: NoticeMedium,
    /// The event that it tells of.
    pub event_id: EventId,
    /// What that event belongs to.
    pub correlation_id: String,
    /// What the sender of the command behind that event follows it by.
    pub traceparent: Option<String>,
    /// The case.
    pub case_id: CaseId,
    /// Its reference.
    pub reference: Reference,
    /// Its request type.
    pub request_type: RequestTypeCode,
    /// Which of the catalogue's notices it is.
    pub notice: QuestionId,
    /// When the event happened.
    pub occurred_at: OffsetDateTime,
    /// The outcome that the event gave the case.
    pub outcome: Option<OutcomeCode>,
    /// Whether the event says that a named officer decided that outcome, rather than a contractor reported it.
    pub decided_by_officer: bool,
    /// The reasons, or the question, that the event carries.
    pub reasons: Option<Sealed>,
    /// By when the question is to be answered.
    pub answer_by: Option<Day>,
    /// The day on which the request came, where it was taken down on a later one.
    pub received_on: Option<Day>,
    /// The exemptions or exceptions that the outcome rests on.
    pub exemptions: Vec<RuleCode>,
    /// Where a correction leaves the case; none of everything else.
    pub corrected_to: Option<CaseStatus>,
    /// The appointment that the event is about, where it is about one.
    pub appointment: Option<AppointmentOf>,
    /// The Message-ID of every attempt.
    pub message_id: MessageId,
    /// When it was queued: the date that every attempt carries.
    pub queued_at: OffsetDateTime,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many attempts were made.
    pub attempts: u32,
    /// Why the last one failed.
    pub last_code: Option<String>,
    /// When it stopped being pending.
    pub finished_at: Option<OffsetDateTime>,
    /// How often it was tried to record it.
    pub record_attempts: u32,
}

impl Delivery {
    /// The id of the command that records how it ended: the same for each repeat, whichever notifier sends it.
    ///
    /// A UUIDv5; the namespace is the UUIDv5 of `caseledger.notifier.record` under the URL namespace, the name is
    /// `<event id>/<recipient>/<medium>/<result>`.
    #[must_use]
    pub fn command_id(&self) -> CommandId {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"caseledger.notifier.record");
        let (medium, result) = (medium_word(self.medium), self.state.as_str());
        let name = format!("{}/{}/{medium}/{result}", self.event_id, self.recipient);
        CommandId(Uuid::new_v5(&namespace, name.as_bytes()))
    }

    /// What its case is told of it.
    ///
    /// # Errors
    /// [`NotifierError::DamagedRow`] where it is not finished, or its Message-ID or code is not as the contract wants them.
    pub fn recorded(&self) -> Result<Recorded, NotifierError> {
        let damaged = || NotifierError::DamagedRow {
            position: self.position,
        };
        let external = |text: &str| ExternalId::new(text).map_err(|_| damaged());
        let (message_id, attempts) = (external(self.message_id.as_str())?, self.attempts);
        match self.state {
            DeliveryState::Pending => Err(damaged()),
            DeliveryState::Sent => Ok(Recorded::Sent { message_id, attempts }),
            DeliveryState::Failed => {
                let code = external(self.last_code.as_deref().ok_or_else(damaged)?)?;
                Ok(Recorded::Failed {
                    message_id,
                    attempts,
                    code,
                })
            }
            DeliveryState::NoAddress => Ok(Recorded::NoAddress),
            DeliveryState::ConsentWithdrawn => Ok(Recorded::ConsentWithdrawn { attempts }),
            DeliveryState::Deceased => Ok(Recorded::Deceased { attempts }),
            DeliveryState::PrefersAnotherMedium => Ok(Recorded::PrefersAnotherMedium { attempts }),
            DeliveryState::NotReadable => Ok(Recorded::NotReadable { attempts }),
        }
    }
}

/// A Message-ID (RFC 5322 section 3.6.4), angle brackets included.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// The Message-ID of the notice of an event to a recipient: the same for each attempt, so that a mail system that gets it
    /// twice can tell.
    ///
    /// Left of the `@` stands a UUIDv5; its namespace is the UUIDv5 of `caseledger.notifier.message` under the URL namespace,
    /// its name `<event id>/<recipient>`.
    #[must_use]
    pub fn new(event_id: EventId, recipient: CustomerId, domain: &str) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"caseledger.notifier.message");
        let id = Uuid::new_v5(&namespace, format!("{event_id}/{recipient}").as_bytes());
        Self(format!("<{id}@{domain}>"))
    }

    pub(crate) const fn from_row(text: String) -> Self {
        Self(text)
    }

    /// The Message-ID, angle brackets included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands left of the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.trim_start_matches('<').split('@').next().unwrap_or_default()
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
