//! A customer: whom cases are for, how they are reached, and what they agreed to.

use std::collections::BTreeMap;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use schemas::QuestionId;
use schemas::command::{
    Circumstances, Command, CommandBody, RecordConsent, RegisterCustomer, UpdateContactDetails, WithdrawConsent,
};
use schemas::event::{ConsentRecorded, ConsentWithdrawn, ContactDetailsUpdated, CustomerEvent, CustomerRegistered};
use schemas::moment::Instant;
use serde::{Deserialize, Serialize};

use crate::context::{CommandInContext, DecisionContext, Timeline};
use crate::rejection::Rejection;

/// A customer, folded. Holds no personal value: only whether each is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    known: Option<Known>,
    timeline: Timeline,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    has_title: bool,
    has_address: bool,
    has_phone: bool,
    has_email: bool,
    consents: BTreeMap<QuestionId, Consent>,
}

/// What stands of the consent for one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Consent {
    Given,
    Withdrawn,
}

impl Customer {
    /// Whether the customer was registered.
    #[must_use]
    pub const fn is_registered(&self) -> bool {
        self.known.is_some()
    }

    /// Whether the customer agrees to this purpose as things stand.
    #[must_use]
    pub fn consents_to(&self, purpose: &QuestionId) -> bool {
        let consent = self.known.as_ref().and_then(|known| known.consents.get(purpose));
        matches!(consent, Some(Consent::Given))
    }

    /// Decides a command. See [`crate::decide`].
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn decide(&self, command: &Command, context: &DecisionContext) -> Result<Vec<CustomerEvent>, Rejection> {
        context.check_times(&command.circumstances, &self.timeline)?;
        match (&command.body, &self.known) {
            (CommandBody::RegisterCustomer(register), None) => {
                Ok(vec![registered(register, &command.circumstances).into()])
            }
            (CommandBody::RegisterCustomer(_), Some(_)) => Err(Rejection::AlreadyExists),
            (CommandBody::UpdateContactDetails(update), Some(known)) => known.update(update, &command.circumstances),
            (CommandBody::RecordConsent(consent), Some(_)) => {
                Ok(vec![Known::record_consent(consent, &command.circumstances).into()])
            }
            (CommandBody::WithdrawConsent(withdrawal), Some(known)) => {
                Ok(known.withdraw_consent(withdrawal, &command.circumstances))
            }
            _ => Err(Rejection::UnknownCustomer),
        }
    }

    /// The last of its times that rules compare with; nothing that happens from now on is earlier.
    pub(crate) fn latest(&self) -> Option<Instant> {
        self.timeline.latest()
    }

    /// Takes in the next event, which happened at `occurred_at`.
    pub fn apply_at(&mut self, event: &CustomerEvent, occurred_at: Instant) {
        self.timeline.began_at.get_or_insert(occurred_at);
        self.fold(event);
    }

    fn fold(&mut self, event: &CustomerEvent) {
        match (event, &mut self.known) {
            (CustomerEvent::CustomerRegistered(event), known @ None) => {
                *known = Some(Known {
                    has_title: event.title.is_some(),
                    has_address: event.address.is_some(),
                    has_phone: event.phone.is_some(),
                    has_email: event.email.is_some(),
                    consents: BTreeMap::new(),
                });
            }
            (CustomerEvent::ContactDetailsUpdated(event), Some(known)) => {
                note(&mut known.has_title, event.title.as_ref());
                note(&mut known.has_address, event.address.as_ref());
                note(&mut known.has_phone, event.phone.as_ref());
                note(&mut known.has_email, event.email.as_ref());
            }
            (CustomerEvent::ConsentRecorded(event), Some(known)) => {
                known.consents.insert(event.purpose.clone(), Consent::Given);
            }
            (CustomerEvent::ConsentWithdrawn(event), Some(known)) => {
                known.consents.insert(event.purpose.clone(), Consent::Withdrawn);
            }
            (CustomerEvent::CustomerRegistered(_), Some(_)) | (_, None) => {}
        }
    }
}

fn registered(register: &RegisterCustomer, circumstances: &Circumstances) -> CustomerRegistered {
    let RegisterCustomer {
        title,
        name,
        address,
        phone,
        email,
    } = register.clone();
    CustomerRegistered {
        title,
        name,
        address,
        phone,
        email,
        reason: circumstances.reason.clone(),
    }
}

impl Known {
    /// Sealed values can't be compared, so what is given counts as changed; only the removal of what is not there is none.
    fn update(
        &self,
        update: &UpdateContactDetails,
        circumstances: &Circumstances,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        let UpdateContactDetails {
            title,
            name,
            address,
            phone,
            email,
        } = update.clone();
        let nothing_given =
            title.is_none() && name.is_none() && address.is_none() && phone.is_none() && email.is_none();
        if nothing_given {
            return Err(Rejection::NothingGiven);
        }
        let event = ContactDetailsUpdated {
            title: change(title, self.has_title),
            name,
            address: change(address, self.has_address),
            phone: change(phone, self.has_phone),
            email: change(email, self.has_email),
            reason: None,
        };
        if event == ContactDetailsUpdated::default() {
            return Ok(Vec::new());
        }
        let reason = circumstances.reason.clone();
        Ok(vec![ContactDetailsUpdated { reason, ..event }.into()])
    }

    /// Sealed wordings can't be compared, so each consent is one: the last wording and its day are what stands.
    fn record_consent(consent: &RecordConsent, circumstances: &Circumstances) -> ConsentRecorded {
        let RecordConsent { purpose, wording } = consent.clone();
        ConsentRecorded {
            purpose,
            wording,
            reason: circumstances.reason.clone(),
        }
    }

    /// Whoever says "no more" is heard, whether or not a "yes" is on record. Withdrawing twice does no harm.
    fn withdraw_consent(&self, withdrawal: &WithdrawConsent, circumstances: &Circumstances) -> Vec<CustomerEvent> {
        if self.consents.get(&withdrawal.purpose) == Some(&Consent::Withdrawn) {
            return Vec::new();
        }
        let withdrawn = ConsentWithdrawn {
            purpose: withdrawal.purpose.clone(),
            reason: circumstances.reason.clone(),
        };
        vec![withdrawn.into()]
    }
}

fn change<T>(given: Option<Option<T>>, present: bool) -> Option<Option<T>> {
    given.filter(|value| value.is_some() || present)
}

fn note<T>(present: &mut bool, given: Option<&Option<T>>) {
    if let Some(value) = given {
        *present = value.is_some();
    }
}

impl Aggregate for Customer {
    const TYPE: &'static str = CustomerEvent::AGGREGATE;
    type Command = CommandInContext;
    type Event = CustomerEvent;
    type Error = Rejection;
    type Services = ();

    async fn handle(&mut self, command: CommandInContext, (): &(), sink: &EventSink<Self>) -> Result<(), Rejection> {
        self.timeline = command.timeline;
        for event in self.decide(&command.command, &command.context)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: CustomerEvent) {
        self.fold(&event);
    }
}
