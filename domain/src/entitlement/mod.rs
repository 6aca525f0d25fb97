//! An entitlement: what was granted with a term, from its grant to its end. It is another stream than the case that granted it, which is
//! closed long before, and than those that renew it.

mod grant;

use std::num::NonZeroU16;

use catalogue::{RequestType, london};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use schemas::command::{
    ActorKind, ChangeEntitlement, Circumstances, Command, CommandBody, EndEntitlement, EntitlementEnding,
    GrantEntitlement, RecordTerm, RenewEntitlement, TermMark,
};
use schemas::event::{
    EntitlementChanged, EntitlementEnded, EntitlementEvent, EntitlementExpired, EntitlementGranted,
    EntitlementRenewalDue, EntitlementRenewed,
};
use schemas::moment::{Day, Instant};
use schemas::query::{CaseStatus, EntitlementStage};
use schemas::{CaseId, CustomerId, EntitlementName, OfficerId, Reference, RequestTypeCode, ServiceName};
use serde::{Deserialize, Serialize};

use grant::{grant_entitlement, granted_by, must_be_the_council, term};

use crate::clock::days_after;
use crate::context::{CommandInContext, DecisionContext, Timeline};
use crate::customer::Customer;
use crate::rejection::Rejection;

/// An entitlement, folded. Holds what rules ask for and no personal value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    held: Option<Held>,
    timeline: Timeline,
}

/// What was granted, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What it is.
    pub entitlement: EntitlementName,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The case that granted its last term.
    pub case_id: CaseId,
    /// That case's reference.
    pub reference: Reference,
    /// That case's request type.
    pub request_type: RequestTypeCode,
    /// Since when it holds without a gap, or held last.
    pub starts_on: Day,
    /// The last day of its last term.
    pub ends_on: Day,
    /// From which day on it can be renewed.
    pub renew_from: Day,
    /// How many.
    pub quantity: Option<NonZeroU16>,
    /// How often it was renewed.
    pub renewed: u32,
    /// How many others like it stood at its property when it came there, or was renewed there.
    pub others_at_property: Option<NonZeroU16>,
    /// Where it is.
    pub stage: EntitlementStage,
    /// Why it was ended before its term, and on which day where it had begun.
    pub ended: Option<(EntitlementEnding, Option<Day>)>,
    /// Whether it was said of this term that it can be renewed.
    reminded: bool,
}

impl Entitlement {
    /// What was granted, as it stands; `None` before that.
    #[must_use]
    pub const fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Whose it is.
    #[must_use]
    pub fn customer_id(&self) -> Option<CustomerId> {
        self.held().map(|held| held.customer_id)
    }

    /// The last of its times that rules compare with.
    pub(crate) fn latest(&self) -> Option<Instant> {
        self.timeline.latest()
    }

    /// Decides a command. See [`crate::decide`].
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn decide(&self, command: &Command, context: &DecisionContext) -> Result<Vec<EntitlementEvent>, Rejection> {
        let circumstances = &command.circumstances;
        context.check_times(circumstances, &self.timeline)?;
        let Some(held) = &self.held else {
            let CommandBody::GrantEntitlement(grant) = &command.body else {
                return Err(Rejection::UnknownEntitlement);
            };
            return grant_entitlement(grant, circumstances, context).map(one);
        };
        context.check_person(circumstances, Some(held.customer_id), &held.service)?;
        match &command.body {
            CommandBody::GrantEntitlement(_) => Err(Rejection::AlreadyExists),
            CommandBody::RenewEntitlement(renew) => held.renew(renew, circumstances, context).map(one),
            CommandBody::ChangeEntitlement(change) => held.change(change, circumstances, context).map(one),
            CommandBody::EndEntitlement(end) => held.end(end, circumstances, context).map(one),
            CommandBody::RecordTerm(record) => held.record_term(record, circumstances, context),
            _ => Err(Rejection::UnknownEntitlement),
        }
    }

    /// Takes in the next event, which happened at `occurred_at`.
    pub fn apply_at(&mut self, event: &EntitlementEvent, occurred_at: Instant) {
        self.timeline.began_at.get_or_insert(occurred_at);
        self.fold(event);
    }

    fn fold(&mut self, event: &EntitlementEvent) {
        match (event, &mut self.held) {
            (EntitlementEvent::EntitlementGranted(event), held @ None) => *held = Some(Held::granted(event)),
            (event, Some(held)) => held.fold(event),
            // The log lets nothing stand before a stream's first event.
            (_, None) => {}
        }
    }
}

fn one(event: impl Into<EntitlementEvent>) -> Vec<EntitlementEvent> {
    vec![event.into()]
}

impl Held {
    fn granted(event: &EntitlementGranted) -> Self {
        Self {
            entitlement: event.entitlement.clone(),
            service: event.service.clone(),
            customer_id: event.customer_id,
            case_id: event.case_id,
            reference: event.reference.clone(),
            request_type: event.request_type.clone(),
            starts_on: event.starts_on,
            ends_on: event.ends_on,
            renew_from: event.renew_from,
            quantity: event.quantity,
            renewed: 0,
            others_at_property: event.others_at_property,
            stage: EntitlementStage::Granted,
            ended: None,
            reminded: false,
        }
    }

    /// Whether another grant of the same case can take its place.
    fn can_be_replaced(&self, grant: &GrantEntitlement) -> bool {
        let by_mistake = matches!(self.ended, Some((EntitlementEnding::GrantedByMistake, _)));
        by_mistake && self.case_id == grant.case_id
    }

    fn fold(&mut self, event: &EntitlementEvent) {
        match event {
            EntitlementEvent::EntitlementRenewed(event) => {
                (self.case_id, self.reference) = (event.case_id, event.reference.clone());
                self.request_type = event.request_type.clone();
                (self.ends_on, self.renew_from) = (event.ends_on, event.renew_from);
                if event.lapsed_from.is_some() {
                    self.starts_on = event.starts_on;
                }
                self.others_at_property = event.others_at_property;
                self.quantity = event.quantity.or(self.quantity);
                self.renewed += 1;
                self.stage = EntitlementStage::Granted;
                self.reminded = false;
            }
            EntitlementEvent::EntitlementChanged(event) => {
                self.quantity = event.quantity.or(self.quantity);
                if event.property.is_some() {
                    self.others_at_property = event.others_at_property;
                }
            }
            EntitlementEvent::EntitlementEnded(event) => {
                self.stage = EntitlementStage::Ended;
                self.ended = Some((event.why, event.ended_on));
            }
            EntitlementEvent::EntitlementExpired(_) => self.stage = EntitlementStage::Expired,
            EntitlementEvent::EntitlementRenewalDue(_) => self.reminded = true,
            // It stands only at the beginning.
            EntitlementEvent::EntitlementGranted(_) => {}
        }
    }

    /// Within the window before its end, or after it; by a case of the same person that grants the same.
    fn renew(
        &self,
        renew: &RenewEntitlement,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<EntitlementRenewed, Rejection> {
        must_be_the_council(circumstances, context)?;
        if self.stage == EntitlementStage::Ended {
            return Err(Rejection::EntitlementOver);
        }
        let granted = granted_by(renew.case_id, context)?;
        let kept = context.other_customer.as_deref().and_then(Customer::merged_into);
        if context.holder_of_case != Some(kept.unwrap_or(self.customer_id)) {
            return Err(Rejection::RenewedForAnother);
        }
        if granted.renewal.entitlement != self.entitlement {
            return Err(Rejection::GrantsSomethingElse);
        }
        let today = london::day_of(context.now.get());
        if today < self.renew_from {
            return Err(Rejection::RenewalTooEarly {
                from: self.renew_from.to_string(),
            });
        }
        let next = days_after(self.ends_on, 1).map_err(|_| Rejection::TermTooFar)?;
        let starts_on = renew.starts_on.unwrap_or_else(|| next.max(today));
        if starts_on < next {
            return Err(Rejection::TermsOverlap);
        }
        // Who asked in time is never without it, however long the decision took; who asked afterwards was.
        if granted.opened.received_on > self.ends_on && starts_on < granted.opened.received_on {
            return Err(Rejection::TermBeforeTheReceipt);
        }
        let term = term(starts_on, renew.ends_on, &granted, context)?;
        if term.ends_on < today {
            return Err(Rejection::TermOver);
        }
        Ok(EntitlementRenewed {
            case_id: renew.case_id,
            reference: granted.opened.reference.clone(),
            request_type: granted.opened.request_type.clone(),
            starts_on: term.starts_on,
            ends_on: term.ends_on,
            renew_from: term.renew_from,
            lapsed_from: (starts_on > next).then_some(next),
            number: renew.number.clone(),
            property: renew.property.clone(),
            others_at_property: context.others_at_property,
            quantity: renew.quantity,
            reason: circumstances.reason.clone(),
        })
    }

    fn change(
        &self,
        change: &ChangeEntitlement,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<EntitlementChanged, Rejection> {
        must_be_the_council(circumstances, context)?;
        if self.stage != EntitlementStage::Granted {
            return Err(Rejection::EntitlementOver);
        }
        let ChangeEntitlement {
            number,
            property,
            quantity,
        } = change.clone();
        if number.is_none() && property.is_none() && quantity.is_none() {
            return Err(Rejection::NothingGiven);
        }
        Ok(EntitlementChanged {
            others_at_property: property.as_ref().and(context.others_at_property),
            number,
            property,
            quantity,
            reason: circumstances.reason.clone(),
        })
    }

    /// Who holds it gives it up; what is decided about them, an officer of a team that decides such cases decides, and says why.
    fn end(
        &self,
        end: &EndEntitlement,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<EntitlementEnded, Rejection> {
        // What is over by itself is not given up any more; that it never should have been can still be decided.
        let is_over = self.stage == EntitlementStage::Expired && !end.why.is_decided();
        if self.stage == EntitlementStage::Ended || is_over {
            return Err(Rejection::EntitlementOver);
        }
        let decided_by = match (end.why.is_decided(), circumstances.actor.kind) {
            (true, _) => Some(self.decider(circumstances, context)?),
            (false, ActorKind::Resident | ActorKind::Representative) => {
                if end.why == EntitlementEnding::Died {
                    return Err(Rejection::ActorNotAllowed);
                }
                None
            }
            (false, _) => {
                must_be_the_council(circumstances, context)?;
                None
            }
        };
        let today = london::day_of(context.now.get());
        let has_begun = self.starts_on <= today;
        let ended_on = end.ended_on.or(has_begun.then(|| today.min(self.ends_on)));
        if ended_on.is_some_and(|day| day > today || day > self.ends_on) {
            return Err(Rejection::EndedInTheFuture);
        }
        if ended_on.is_some_and(|day| day < self.starts_on) {
            return Err(Rejection::EndedBeforeItBegan);
        }
        Ok(EntitlementEnded {
            why: end.why,
            ended_on,
            decided_by,
            reason: circumstances.reason.clone(),
        })
    }

    fn decider(&self, circumstances: &Circumstances, context: &DecisionContext) -> Result<OfficerId, Rejection> {
        if circumstances.actor.as_officer().is_none() {
            return Err(Rejection::OfficerRequired);
        }
        let authority = context.acting_officer(circumstances)?;
        let request_type: &RequestType = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        if !authority.is_of_any(&request_type.deciding_teams) {
            return Err(Rejection::OfficerNotAuthorised);
        }
        if circumstances.reason.is_none() && !context.person_erased {
            return Err(Rejection::ReasonRequired);
        }
        Ok(authority.officer().clone())
    }

    /// Each is said once of each term. Where it no longer matters (it was renewed, it has ended, its holder died or was erased, the case
    /// that granted it was found not to) nothing is.
    fn record_term(
        &self,
        record: &RecordTerm,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<EntitlementEvent>, Rejection> {
        if circumstances.actor.kind != ActorKind::System {
            return Err(Rejection::ActorNotAllowed);
        }
        if self.stage != EntitlementStage::Granted || record.ends_on != self.ends_on {
            return Ok(Vec::new());
        }
        let today = london::day_of(context.now.get());
        let is_over = today > self.ends_on;
        match record.mark {
            TermMark::Expired if is_over => Ok(one(EntitlementExpired {
                entitlement: self.entitlement.clone(),
                customer_id: self.customer_id,
                case_id: self.case_id,
                reference: self.reference.clone(),
                request_type: self.request_type.clone(),
                ends_on: self.ends_on,
            })),
            TermMark::RenewalDue if today >= self.renew_from => {
                let concerns_nobody = context.customer_died() || context.person_erased || is_granted_no_more(context);
                if is_over || self.reminded || concerns_nobody {
                    return Ok(Vec::new());
                }
                Ok(one(EntitlementRenewalDue {
                    entitlement: self.entitlement.clone(),
                    customer_id: self.customer_id,
                    case_id: self.case_id,
                    reference: self.reference.clone(),
                    request_type: self.request_type.clone(),
                    ends_on: self.ends_on,
                }))
            }
            TermMark::Expired | TermMark::RenewalDue => Err(Rejection::NotYet),
        }
    }
}

/// Whether the case that granted it was found since not to have: struck out, cancelled, decided otherwise. While it is open again, that
/// is not known.
fn is_granted_no_more(context: &DecisionContext) -> bool {
    let (Some(case), Some(request_type)) = (&context.other_case, &context.other_type) else {
        return false;
    };
    case.status() != Some(CaseStatus::Open) && !case.grants(request_type)
}

impl Aggregate for Entitlement {
    const TYPE: &'static str = EntitlementEvent::AGGREGATE;
    type Command = CommandInContext;
    type Event = EntitlementEvent;
    type Error = Rejection;
    type Services = ();

    async fn handle(&mut self, command: CommandInContext, (): &(), sink: &EventSink<Self>) -> Result<(), Rejection> {
        self.timeline = command.timeline;
        for event in self.decide(&command.command, &command.context)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: EntitlementEvent) {
        self.fold(&event);
    }
}
