//! What may be somebody's offence: what was found, whom it is about, what was done against it. Whoever complained is told apart from whom
//! it is about in every rule: neither becomes the other.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::london;
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
use crate::context::{Authority, DecisionContext};
use crate::rejection::Rejection;

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enforcement {
    incident: Option<(LandType, Option<IncidentSize>, FoundBy)>,
    /// Whom it is about.
    pub(crate) subjects: BTreeSet<CustomerId>,
    /// What was done, by the number of its entry.
    actions: BTreeMap<Version, Action>,
}

/// Something done against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Action {
    action: EnforcementAction,
    taken_on: Day,
    cost: Pence,
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
        taken_on: Day,
        cost: Pence,
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
            Self::Named { subject } => _ = standing.subjects.insert(*subject),
            Self::Cleared { subject } => _ = standing.subjects.remove(subject),
            Self::Taken { action, taken_on, cost } => {
                let action = Action {
                    action: *action,
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
    /// Refuses what whom the case is about would do in it.
    pub(super) fn must_not_be_about(&self, circumstances: &Circumstances) -> Result<(), Rejection> {
        let subjects = &self.standing.enforcement.subjects;
        let acts = circumstances.actor.as_person();
        match acts.is_some_and(|person| subjects.contains(&person)) {
            true => Err(Rejection::ActsInACaseAboutThem),
            false => Ok(()),
        }
    }

    /// An officer of a team that decides such cases, of a type that may be an offence.
    fn enforcing<'c>(
        &self,
        circumstances: &Circumstances,
        context: &'c DecisionContext,
    ) -> Result<&'c Authority, Rejection> {
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        if !request_type.enforcement {
            return Err(Rejection::NotEnforced);
        }
        let authority = must_be_an_officer(circumstances, context)?;
        self.authorised(authority.officer(), request_type, context)
    }

    pub(super) fn record_incident(
        &self,
        incident: &RecordIncident,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        let request_type = context.request_type.as_ref().ok_or(Rejection::RequestTypeGone)?;
        if !request_type.enforcement {
            return Err(Rejection::NotEnforced);
        }
        match circumstances.actor.kind {
            ActorKind::System => {}
            ActorKind::Contractor => self.must_be_their_job(context)?,
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

    pub(super) fn name_subject(
        &self,
        name: &NameSubject,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        let authority = self.enforcing(circumstances, context)?;
        if self.opened.customer_id == Some(name.subject) {
            return Err(Rejection::ComplainantNamed);
        }
        if self.standing.enforcement.subjects.contains(&name.subject) {
            return Ok(Vec::new());
        }
        let NameSubject { subject, grounds } = name.clone();
        Ok(one(SubjectNamed {
            subject,
            grounds,
            decided_by: authority.officer().clone(),
            reason: circumstances.reason.clone(),
        }))
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
        Ok(SubjectCleared {
            subject: clear.subject,
            decided_by: authority.officer().clone(),
            reason: circumstances.reason.clone().ok_or(Rejection::ReasonRequired)?,
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
        self.must_not_precede_receipt(take.taken_on)
            .map_err(|_| Rejection::ActionBeforeTheReceipt)?;
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
        if circumstances.actor.kind != ActorKind::System {
            must_be_an_officer(circumstances, context)?;
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
