//! A customer: whom cases are for, how they are reached, what they agreed to, and who speaks for them.

mod person;

use std::collections::BTreeMap;

use catalogue::london;
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use schemas::command::{
    ActorKind, Circumstances, Command, CommandBody, Precaution, RecordConsent, RegisterCustomer, UpdateContactDetails,
    WithdrawConsent,
};
use schemas::event::{ConsentRecorded, ConsentWithdrawn, ContactDetailsUpdated, CustomerEvent, CustomerRegistered};
use schemas::moment::{Day, Instant};
use schemas::{CustomerId, QuestionId, ServiceName};
use serde::{Deserialize, Serialize};

use person::Representation;

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
    has_needs: bool,
    representatives: BTreeMap<CustomerId, Representation>,
    died: bool,
    markers: Vec<Marker>,
    merged_into: Option<CustomerId>,
}

/// A hazard marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    precaution: Precaution,
    expires_on: Day,
    /// Whether somebody ended it before its last day.
    ended: bool,
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

    /// What to mind at their door on a day.
    pub fn precautions(&self, on: Day) -> impl Iterator<Item = Precaution> {
        let markers = self.known.iter().flat_map(|known| &known.markers);
        let standing = markers.filter(move |marker| !marker.ended && on <= marker.expires_on);
        standing.map(|marker| marker.precaution)
    }

    /// Whether the customer died, as far as is recorded.
    #[must_use]
    pub fn died(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.died)
    }

    /// The record of the same person that is kept, where this one was merged.
    #[must_use]
    pub fn merged_into(&self) -> Option<CustomerId> {
        self.known.as_ref()?.merged_into
    }

    /// Whether somebody may act for the customer on a day: in a service's cases, or, where none is given, on the customer's record.
    #[must_use]
    pub fn is_represented_by(&self, representative: CustomerId, service: Option<&ServiceName>, on: Day) -> bool {
        let known = self.known.as_ref();
        let representation = known.and_then(|known| known.representatives.get(&representative));
        representation.is_some_and(|representation| representation.covers(service, on))
    }

    /// Decides a command. See [`crate::decide`].
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn decide(&self, command: &Command, context: &DecisionContext) -> Result<Vec<CustomerEvent>, Rejection> {
        let circumstances = &command.circumstances;
        context.check_times(circumstances, &self.timeline)?;
        self.check_actor(&command.body, circumstances, context)?;
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
            (CommandBody::SetContactPreferences(set), Some(_)) => Known::prefer(set, circumstances),
            (CommandBody::RecordAdjustments(record), Some(known)) => known.adjust(record, circumstances),
            (CommandBody::AuthoriseRepresentative(authorise), Some(_)) => {
                Known::authorise(authorise, context.subject()?, circumstances, context)
            }
            (CommandBody::EndRepresentation(end), Some(known)) => known.end_representation(end, circumstances),
            (CommandBody::RecordDeath(death), Some(known)) => known.record_death(death, circumstances, context),
            (CommandBody::CorrectDeathRecord(_), Some(known)) => known.correct_death(circumstances, context),
            (CommandBody::SetHazardMarker(set), Some(known)) => known.set_marker(set, circumstances, context),
            (CommandBody::EndHazardMarker(end), Some(known)) => known.end_marker(end, circumstances, context),
            (CommandBody::MergeCustomer(merge), Some(known)) => {
                known.merge(merge, context.subject()?, circumstances, context)
            }
            (CommandBody::PartCustomer(_), Some(known)) => known.part(circumstances, context),
            _ => Err(Rejection::UnknownCustomer),
        }
    }

    /// A merged record takes no more but to be parted; the dead ask for nothing; a representative does what they may.
    fn check_actor(
        &self,
        body: &CommandBody,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<(), Rejection> {
        let Some(known) = &self.known else { return Ok(()) };
        if let Some(into) = known.merged_into
            && !matches!(
                body,
                CommandBody::PartCustomer(_) | CommandBody::MergeCustomer(_) | CommandBody::EndRepresentation(_)
            )
        {
            return Err(Rejection::CustomerMerged { into: into.to_string() });
        }
        let is_resident = circumstances.actor.kind == ActorKind::Resident;
        let person = circumstances.actor.as_person();
        if is_resident && person.is_some() && person != context.subject().ok() {
            return Err(Rejection::NotTheirs);
        }
        if known.died && is_resident {
            return Err(Rejection::CustomerDied);
        }
        // Whoever speaks for somebody may always stop.
        let ends_their_own = matches!(body, CommandBody::EndRepresentation(end)
            if circumstances.actor.as_person() == Some(end.representative));
        if circumstances.actor.kind == ActorKind::Representative && !ends_their_own {
            let on_behalf_of = circumstances.on_behalf_of;
            if on_behalf_of != Some(context.subject()?) {
                return Err(Rejection::OnBehalfOfAnother);
            }
            let representative = circumstances
                .actor
                .as_person()
                .ok_or(Rejection::NotTheirRepresentative)?;
            let today = london::day_of(context.now.get());
            if !self.is_represented_by(representative, None, today) {
                return Err(Rejection::NotTheirRepresentative);
            }
        }
        Ok(())
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
                    ..Known::default()
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
            (CustomerEvent::AdjustmentsRecorded(event), Some(known)) => known.has_needs = event.needs.is_some(),
            (CustomerEvent::RepresentativeAuthorised(event), Some(known)) => {
                let representation = Representation {
                    services: event.services.clone(),
                    until: event.until,
                };
                known.representatives.insert(event.representative, representation);
            }
            (CustomerEvent::RepresentationEnded(event), Some(known)) => {
                known.representatives.remove(&event.representative);
            }
            (CustomerEvent::DeathRecorded(_), Some(known)) => known.died = true,
            (CustomerEvent::DeathRecordCorrected(_), Some(known)) => known.died = false,
            (CustomerEvent::HazardMarkerSet(event), Some(known)) => {
                known.markers.push(Marker {
                    precaution: event.precaution,
                    expires_on: event.expires_on,
                    ended: false,
                });
            }
            (CustomerEvent::HazardMarkerEnded(event), Some(known)) => {
                let place = usize::try_from(event.number)
                    .ok()
                    .and_then(|number| number.checked_sub(1));
                if let Some(marker) = place.and_then(|place| known.markers.get_mut(place)) {
                    marker.ended = true;
                }
            }
            (CustomerEvent::CustomerMerged(event), Some(known)) => known.merged_into = Some(event.into),
            (CustomerEvent::CustomerParted(_), Some(known)) => known.merged_into = None,
            (CustomerEvent::ContactPreferencesSet(_) | CustomerEvent::CustomerRegistered(_), Some(_)) | (_, None) => {}
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
