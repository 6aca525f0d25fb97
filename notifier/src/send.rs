//! Sending what is due, one delivery at a time.

use std::sync::Arc;

use catalogue::{Catalogue, Notice, NoticeContext};
use schemas::moment::Instant;
use schemas::query::CaseStatus;
use schemas::text::{EmailAddress, Line, Text};
use schemas::{CustomerId, Sealed};
use serde::de::DeserializeOwned;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Row as _, query};
use time::OffsetDateTime;
use traces::{Part, Span};
use vault::{OpenError, Vault};

use crate::backoff;
use crate::delivery::{Delivery, DeliveryState};
use crate::error::NotifierError;
use crate::measured;
use crate::message::{self, Recipient, Sender};
use crate::transport::{Email, Transport, Undelivered};

/// What sending needs.
#[derive(Debug)]
pub struct Dispatcher {
    /// The notifier's tables.
    pub pool: PgPool,
    /// Opens names, addresses and reasons.
    pub vault: Arc<Vault>,
    /// Holds the words.
    pub catalogue: Arc<Catalogue>,
    /// Whom notices come from.
    pub sender: Sender,
    /// Where they go.
    pub transport: Transport,
}

/// How an attempt ended.
enum Attempt {
    Sent,
    NoAddress,
    /// They are not to be sent emails.
    NotByEmail(DeliveryState),
    /// The customer's data was erased, or a key is gone.
    NotReadable,
    Undelivered(Undelivered),
}

impl Attempt {
    const fn word(&self) -> &'static str {
        match self {
            Self::Sent => DeliveryState::Sent.as_str(),
            Self::NoAddress => DeliveryState::NoAddress.as_str(),
            Self::NotByEmail(why) => why.as_str(),
            Self::NotReadable => DeliveryState::NotReadable.as_str(),
            Self::Undelivered(_) => "undelivered",
        }
    }
}

impl Dispatcher {
    /// Makes the next attempt that is due, and says whether there was one.
    ///
    /// The row stays locked while the mail server is spoken to, so several notifiers share the work. Where this process or
    /// its connection to the database ends in between, the attempt is not noted and the notice is sent again, with the same
    /// Message-ID.
    ///
    /// # Errors
    /// [`NotifierError`]. A notice that could not be sent is not one: that is noted with its delivery.
    pub async fn send_next(&self, now: OffsetDateTime, jitter: f64) -> Result<bool, NotifierError> {
        let mut transaction = self.pool.begin().await?;
        let Some(mut delivery) = crate::table::claim_to_send(&mut transaction, now).await? else {
            return Ok(false);
        };
        let mut span = Span::begin(
            format!("send {}", delivery.notice),
            Part::Asking,
            delivery.traceparent.as_deref(),
        );
        let attempt = self.attempt(&mut transaction, &delivery).await?;
        if let Some(span) = &mut span {
            span.note("caseledger.position", delivery.position.0);
            span.note("caseledger.result", attempt.word());
            if matches!(attempt, Attempt::Undelivered(_)) {
                span.failed("not taken");
            }
        }
        drop(span);
        if matches!(attempt, Attempt::Sent | Attempt::Undelivered(_)) {
            delivery.attempts = delivery.attempts.saturating_add(1);
        }
        note(&mut transaction, &delivery, attempt, now, jitter).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn attempt(&self, connection: &mut PgConnection, delivery: &Delivery) -> Result<Attempt, NotifierError> {
        let contact = match reach(connection, delivery.recipient).await? {
            Reach::At(contact) => contact,
            Reach::Nowhere => return Ok(Attempt::NoAddress),
            Reach::NotByEmail(why) => return Ok(Attempt::NotByEmail(why)),
        };
        let email = match self.email(delivery, &contact).await {
            Ok(email) => email,
            Err(Unready::NotReadable) => return Ok(Attempt::NotReadable),
            Err(Unready::Undelivered(undelivered)) => return Ok(Attempt::Undelivered(undelivered)),
            Err(Unready::Fault(fault)) => return Err(fault),
        };
        Ok(match self.transport.send(&email).await {
            Ok(()) => Attempt::Sent,
            Err(undelivered) => Attempt::Undelivered(undelivered),
        })
    }

    /// Opens what is sealed and writes the email. What was opened lives no longer than the attempt.
    async fn email(&self, delivery: &Delivery, contact: &Contact) -> Result<Email, Unready> {
        let recipient = Recipient {
            name: self.open::<Line>(&contact.name).await?,
            address: self.open::<EmailAddress>(&contact.email).await?,
        };
        let title = self.open_optional::<Line>(contact.title.as_ref()).await?;
        let reasons = self.open_optional::<Text>(delivery.reasons.as_ref()).await?;
        let notice = self.notice(delivery, title.as_ref(), &recipient.name, reasons)?;
        let message = message::build(
            &self.sender,
            &recipient,
            &delivery.message_id,
            notice,
            delivery.queued_at,
        )
        .map_err(|_| Undelivered::for_good("address"))?;
        Ok(Email {
            message,
            file_name: file_name(delivery),
        })
    }

    async fn open_optional<T: DeserializeOwned>(&self, sealed: Option<&Sealed>) -> Result<Option<T>, Unready> {
        match sealed {
            Some(sealed) => self.open(sealed).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens one value. A person who was erased, or a case whose time is up, gets no notice any more.
    async fn open<T: DeserializeOwned>(&self, sealed: &Sealed) -> Result<T, Unready> {
        let opened = self.vault.open(sealed).await.and_then(|opened| opened.read());
        opened.map_err(|error| match error {
            OpenError::Erased | OpenError::NoKey => Unready::NotReadable,
            OpenError::Damaged => Undelivered::for_good("damaged").into(),
            OpenError::Unavailable(fault) => Unready::Fault(NotifierError::Vault(fault)),
        })
    }

    /// The notice in words. A template that fails is tried again: the catalogue can be mended.
    fn notice(
        &self,
        delivery: &Delivery,
        title: Option<&Line>,
        name: &Line,
        reasons: Option<Text>,
    ) -> Result<Notice, Undelivered> {
        let request_type = self.catalogue.request_type(&delivery.request_type);
        let request_type = request_type.ok_or_else(|| Undelivered::for_now("request_type"))?;
        let occurred_at = Instant::new(delivery.occurred_at);
        let greeted = title.map_or_else(|| name.to_string(), |title| format!("{title} {name}"));
        let context =
            NoticeContext::new(&self.catalogue, request_type, &delivery.reference, occurred_at).to(Some(greeted));
        let words = reasons.map(|reasons| reasons.to_string());
        let context = match (&delivery.outcome, delivery.corrected_to) {
            (outcome, Some(status)) => {
                let is_open = status == CaseStatus::Open;
                context
                    .saying(words, None)
                    .standing(request_type, outcome.as_ref(), is_open)
            }
            (Some(outcome), None) => {
                let decided = delivery.decided_by_officer;
                let closed = context.closed(&self.catalogue, request_type, outcome, decided, words, occurred_at);
                closed.resting_on(&delivery.exemptions)
            }
            (None, None) => context.saying(words, delivery.answer_by).received(delivery.received_on),
        };
        let context = match &delivery.appointment {
            Some(of) => context.appointment(
                &self.catalogue,
                request_type,
                &of.calendar,
                (of.slot, of.minutes),
                of.attendance,
            ),
            None => context,
        };
        catalogue::notice::render(&self.catalogue, &delivery.notice, &context).map_err(|fault| {
            tracing::error!(notice = %delivery.notice, %fault, "a notice can't be written");
            Undelivered::for_now("template")
        })
    }
}

/// How a customer is reached, sealed.
struct Contact {
    title: Option<Sealed>,
    name: Sealed,
    email: Sealed,
}

/// `<position>-<notice>-<short id>.eml`.
fn file_name(delivery: &Delivery) -> String {
    let short_id: String = delivery.message_id.local_part().chars().take(8).collect();
    format!("{}-{}-{short_id}.eml", delivery.position, delivery.notice)
}

/// Why there is no email to send.
enum Unready {
    /// What it needs will never be read again.
    NotReadable,
    /// This notice can't be sent, for now or for good.
    Undelivered(Undelivered),
    /// No notice can.
    Fault(NotifierError),
}

impl From<Undelivered> for Unready {
    fn from(undelivered: Undelivered) -> Self {
        Self::Undelivered(undelivered)
    }
}

/// Whether and how a customer is reached by email at this moment.
enum Reach {
    At(Contact),
    Nowhere,
    NotByEmail(DeliveryState),
}

async fn reach(connection: &mut PgConnection, customer: CustomerId) -> Result<Reach, NotifierError> {
    let row = query(include_str!("../sql/contact.sql"))
        .bind(customer.uuid())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(Reach::Nowhere);
    };
    let Some(email) = row.try_get::<Option<String>, _>("email")? else {
        return Ok(Reach::Nowhere);
    };
    if row.try_get("deceased")? {
        return Ok(Reach::NotByEmail(DeliveryState::Deceased));
    }
    if row.try_get("withdrawn")? {
        return Ok(Reach::NotByEmail(DeliveryState::ConsentWithdrawn));
    }
    if row.try_get("prefers_another_medium")? {
        return Ok(Reach::NotByEmail(DeliveryState::PrefersAnotherMedium));
    }
    Ok(Reach::At(Contact {
        title: row.try_get::<Option<String>, _>("title")?.map(Sealed::from_token),
        name: Sealed::from_token(row.try_get("name")?),
        email: Sealed::from_token(email),
    }))
}

/// Ends a delivery, and counts how.
async fn finish(
    connection: &mut PgConnection,
    delivery: &Delivery,
    state: DeliveryState,
    code: Option<&str>,
    now: OffsetDateTime,
) -> Result<(), NotifierError> {
    measured::attempted(state.as_str());
    crate::table::finish(connection, delivery, state, code, now).await
}

/// Writes down how an attempt ended. The log names the delivery, never the person.
async fn note(
    connection: &mut PgConnection,
    delivery: &Delivery,
    attempt: Attempt,
    now: OffsetDateTime,
    jitter: f64,
) -> Result<(), NotifierError> {
    let (position, case, notice, attempts) = (
        delivery.position.0,
        delivery.case_id,
        &delivery.notice,
        delivery.attempts,
    );
    let undelivered = match attempt {
        Attempt::Sent => {
            tracing::info!(position, %case, %notice, attempts, "a notice was sent");
            return finish(connection, delivery, DeliveryState::Sent, None, now).await;
        }
        Attempt::NoAddress => {
            tracing::warn!(position, %case, %notice, "there is no address to send a notice to: its case is told");
            return finish(connection, delivery, DeliveryState::NoAddress, None, now).await;
        }
        Attempt::NotByEmail(why) => {
            let why_not = why.as_str();
            tracing::warn!(position, %case, %notice, why_not, "its customer gets no emails: the case is told");
            return finish(connection, delivery, why, None, now).await;
        }
        Attempt::NotReadable => {
            tracing::warn!(position, %case, %notice, "its customer's data can't be read any more: the case is told");
            return finish(connection, delivery, DeliveryState::NotReadable, None, now).await;
        }
        Attempt::Undelivered(undelivered) => undelivered,
    };
    let code = undelivered.code.as_str();
    let wait = if undelivered.lasting {
        None
    } else {
        // A clock that was set back makes nothing older.
        let age = (now - delivery.queued_at).try_into().unwrap_or_default();
        backoff::before_sending_again(attempts, age, jitter)
    };
    match wait {
        Some(wait) => {
            tracing::warn!(position, %case, %notice, attempts, code, "a notice was not taken: it will be sent again");
            measured::attempted("postponed");
            crate::table::postpone_sending(connection, delivery, code, now + wait).await
        }
        None => {
            tracing::error!(position, %case, %notice, attempts, code, "a notice is given up: its case is told");
            finish(connection, delivery, DeliveryState::Failed, Some(code), now).await
        }
    }
}
