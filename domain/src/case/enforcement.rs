//! What may be somebody's offence: what was found, whom it is about, what was done against it. Whoever complained is told apart from whom
//! it is about in every rule: neither becomes the other.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{RequestType, london};
use schemas::command::{
    ActionResult, ActorKind, Circumstances, ClearSubject, EnforcementAction, FoundBy, IncidentSize, LandType,
    NameSubject, RecordActionResult, RecordIncident, TakeEnforcementAction,
};
use schemas::event::{
    ActionResultRecorded, CaseEvent, EnforcementActionTaken, IncidentRecorded, SubjectCleared, SubjectNamed,
};
use schemas::moment::Day;
use schemas::money::Pence;
use schemas::query::{ActionSummary, EnforcementSummary, IncidentSummary};
use schemas::{CustomerId, Version};
use serde::{Deserialize, Serialize};

use super::Submitted;
use super::information::must_be_an_officer;
use super::one;
use super::standing::Status;
use crate::context::{Authority, DecisionContext};
use crate::customer::Customer;
use crate::rejection::Rejection;

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enforcement {
    incident: Option<(LandType, Option<IncidentSize>, FoundBy)>,
    /// Whom it is about.
    subjects: BTreeSet<CustomerId>,
    /// Whom it ever was said to be about: the case never is theirs to act in, or to have.
    pub(crate) ever_named: BTreeSet<CustomerId>,
    /// What was done, by the number of its entry.
    actions: BTreeMap<Version, Action>,
}

/// Something done against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Action {
    action: EnforcementAction,
    subject: Option<CustomerId>,
    taken_on: Day,
    cost: Option<Pence>,
    result: Option<ActionResult>,
}

/// What an event enters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "enforcement", rename_all = "snake_case")]
pub(crate) enum EnforcementEntry {
    Found {
        land: LandType,
        size: Option<IncidentSize>,
        found_by: FoundBy,
    },
    Named {
        subject: CustomerId,
    },
    Cleared {
        subject: CustomerId,
    },
    Taken {
        action: EnforcementAction,
        subject: Option<CustomerId>,
        taken_on: Day,
        cost: Option<Pence>,
    },
    Came {
        action: Version,
        result: ActionResult,
    },
}

impl EnforcementEntry {
    pub(crate) fn of(event: &CaseEvent) -> Option<Self> {
        Some(match event {
            CaseEvent::IncidentRecorded(event) => Self::Found {
                land: event.land,
                size: event.size,
                found_by: event.found_by,
            },
            CaseEvent::SubjectNamed(event) => Self::Named { subject: event.subject },
            CaseEvent::SubjectCleared(event) => Self::Cleared { subject: event.subject },
            CaseEvent::EnforcementActionTaken(event) => Self::Taken {
                action: event.action,
                subject: event.subject,
                taken_on: event.taken_on,
                cost: event.cost_pence,
            },
            CaseEvent::ActionResultRecorded(event) => Self::Came {
                action: event.action,
                result: event.result,
            },
            _ => return None,
        })
    }

    /// What takes the place of something is put right by the next; a person is cleared, not struck out.
    pub(crate) const fn correctable(&self) -> Option<&'static str> {
        match self {
            Self::Taken { .. } => Some("EnforcementActionTaken"),
            Self::Found { .. } | Self::Named { .. } | Self::Cleared { .. } | Self::Came { .. } => None,
        }
    }

    pub(crate) fn enter(&self, standing: &mut Enforcement, number: Version) {
        match self {
            Self::Found { land, size, found_by } => standing.incident = Some((*land, *size, *found_by)),
            Self::Named { subject } => {
                standing.subjects.insert(*subject);
                standing.ever_named.insert(*subject);
            }
            Self::Cleared { subject } => _ = standing.subjects.remove(subject),
            Self::Taken {
                action,
                subject,
                taken_on,
                cost,
            } => {
                let action = Action {
                    action: *action,
                    subject: *subject,
                    taken_on: *taken_on,
                    cost: *cost,
                    result: None,
                };
                standing.actions.insert(number, action);
            }
            // Of one that was struck out nothing came.
            Self::Came { action, result } => {
                if let Some(action) = standing.actions.get_mut(action) {
                    action.result = Some(*result);
                }
            }
        }
    }
}

impl Enforcement {
    /// Against whom the action of this entry was.
    pub(crate) fn subject_of(&self, entry: Version) -> Option<CustomerId> {
        self.actions.get(&entry)?.subject
    }

    /// As it may be told: whom it is about is not.
    pub(crate) fn told(&self) -> Option<EnforcementSummary> {
        let incident = self
            .incident
            .map(|(land, size, found_by)| IncidentSummary { land, size, found_by });
        let actions: Vec<_> = self
            .actions
            .iter()
            .map(|(number, taken)| ActionSummary {
                number: *number,
                action: taken.action,
                taken_on: taken.taken_on,
                cost_pence: taken.cost,
                result: taken.result,
            })
            .collect();
        (incident.is_some() || !actions.is_empty()).then_some(EnforcementSummary { incident, actions })
    }
}

impl Submitted {
    /// Refuses what whom the case is about, under whichever record, would do in it.
    pub(super) fn must_not_be_about(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<(), Rejection> {
        match circumstances.actor.as_person() {
            Some(person) if self.was_about(person, context) => Err(Rejection::ActsInACaseAboutThem),
            _ => Ok(()),
        }
    }

    /// Whether it is, or was, about this customer, or about a record that was merged into theirs.
    pub(super) fn was_about(&self, customer: CustomerId, context: &DecisionContext) -> bool {
        self.standing.enforcement.ever_named.contains(&customer) || context.subjects_kept.contains(&customer)
    }

    /// An officer of a team that decides such cases, of a type that may be an offence.
    fn enforcing<'c>(
        &self,
        circumstances: &Circumstances,
        context: &'c DecisionContext,
    ) -> Result<&'c Authority, Rejection> {
        let request_type = self.must_be_enforced(context)?;
        let authority = must_be_an_officer(circumstances, context)?;
        match authority.is_of_any(&request_type.deciding_teams) {
            true => Ok(authority),
            false => Err(Rejection::EnforcerNotAuthorised),
        }
    }

    /// Of a type that may be an offence, and of a report that was not called off.
    fn must_be_enforced<'c>(&self, context: &'c DecisionContext) -> Result<&'c RequestType, Rejection> {
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        match (request_type.enforcement, &self.standing.status) {
            (false, _) => Err(Rejection::NotEnforced),
            (true, Status::Cancelled) => Err(Rejection::CaseCancelled),
            (true, _) => Ok(request_type),
        }
    }

    pub(super) fn record_incident(
        &self,
        incident: &RecordIncident,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        self.must_be_enforced(context)?;
        match circumstances.actor.kind {
            ActorKind::System => {}
            // The crew is the first to say, or nobody of it: what an officer found is not overwritten.
            ActorKind::Contractor => {
                self.must_be_open()?;
                self.must_be_their_job(context)?;
                if self.standing.enforcement.incident.is_some() {
                    return Err(Rejection::IncidentKnown);
                }
            }
            _ => _ = must_be_an_officer(circumstances, context)?,
        }
        let RecordIncident { land, size, found_by } = incident.clone();
        if self.standing.enforcement.incident == Some((land, size, found_by)) {
            return Ok(Vec::new());
        }
        Ok(one(IncidentRecorded {
            land,
            size,
            found_by,
            reason: circumstances.reason.clone(),
        }))
    }

    /// Somebody else than whose case it is, or ever was, under whichever record.
    pub(super) fn name_subject(
        &self,
        name: &NameSubject,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<SubjectNamed, Rejection> {
        let authority = self.enforcing(circumstances, context)?;
        if let Some(into) = context.other_customer.as_deref().and_then(Customer::merged_into) {
            return Err(Rejection::SubjectMerged { into: into.to_string() });
        }
        if self.ever_customers.contains(&name.subject) || context.holder_of_case == Some(name.subject) {
            return Err(Rejection::ComplainantNamed);
        }
        let NameSubject { subject, grounds, told } = name.clone();
        Ok(SubjectNamed {
            subject,
            grounds,
            told,
            decided_by: authority.officer().clone(),
            reason: circumstances.reason.clone(),
        })
    }

    pub(super) fn clear_subject(
        &self,
        clear: &ClearSubject,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<SubjectCleared, Rejection> {
        let authority = self.enforcing(circumstances, context)?;
        if !self.standing.enforcement.subjects.contains(&clear.subject) {
            return Err(Rejection::SubjectNotNamed);
        }
        if circumstances.reason.is_none() && !context.person_erased {
            return Err(Rejection::ReasonRequired);
        }
        Ok(SubjectCleared {
            subject: clear.subject,
            decided_by: authority.officer().clone(),
            reason: circumstances.reason.clone(),
        })
    }

    pub(super) fn take_action(
        &self,
        take: &TakeEnforcementAction,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<EnforcementActionTaken, Rejection> {
        let authority = self.enforcing(circumstances, context)?;
        match take.subject {
            Some(subject) if !self.standing.enforcement.subjects.contains(&subject) => {
                return Err(Rejection::SubjectNotNamed);
            }
            None if take.action.is_against_somebody() => return Err(Rejection::SubjectRequired),
            _ => {}
        }
        if take.action.is_against_somebody() && circumstances.reason.is_none() {
            return Err(Rejection::ReasonRequired);
        }
        if (take.action == EnforcementAction::FixedPenalty) != take.penalty_pence.is_some() {
            return Err(Rejection::PenaltyOfAFixedPenalty);
        }
        if take.taken_on > london::day_of(context.now.get()) {
            return Err(Rejection::ActionInTheFuture);
        }
        if take.taken_on < self.opened.received_on {
            return Err(Rejection::ActionBeforeTheReceipt);
        }
        let TakeEnforcementAction {
            action,
            subject,
            taken_on,
            cost_pence,
            notice_number,
            penalty_pence,
            note,
        } = take.clone();
        Ok(EnforcementActionTaken {
            action,
            subject,
            taken_on,
            cost_pence,
            notice_number,
            penalty_pence,
            decided_by: authority.officer().clone(),
            note,
            reason: circumstances.reason.clone(),
        })
    }

    pub(super) fn action_result(
        &self,
        record: &RecordActionResult,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<ActionResultRecorded, Rejection> {
        let by_system = circumstances.actor.kind == ActorKind::System;
        if !by_system {
            self.enforcing(circumstances, context)?;
        } else if !matches!(record.result, ActionResult::Paid | ActionResult::NotPaid) {
            return Err(Rejection::ActorNotAllowed);
        }
        if record.result == ActionResult::Withdrawn && circumstances.reason.is_none() && !context.person_erased {
            return Err(Rejection::ReasonRequired);
        }
        let RecordActionResult {
            action,
            result,
            on,
            pence,
        } = record.clone();
        let taken = self.standing.enforcement.actions.get(&action);
        let taken = taken.ok_or(Rejection::UnknownAction)?;
        if !result.can_come_of(taken.action) {
            return Err(Rejection::NoSuchResult);
        }
        if on < taken.taken_on || on > london::day_of(context.now.get()) {
            return Err(Rejection::ResultOutOfTime);
        }
        Ok(ActionResultRecorded {
            action,
            result,
            on,
            pence,
            reason: circumstances.reason.clone(),
        })
    }
}
