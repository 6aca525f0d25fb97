//! What a command on a case means for its job.

use std::sync::Arc;

use catalogue::{Contract, RequestType, london};
use schemas::command::{AttachmentPurpose, Circumstances, Precaution, Slot};
use schemas::event::{
    AppointmentCancellation, CaseEvent, JobAcceptance, JobAccepted, JobCancellation, JobCancelled, JobChanged,
    JobRaised, JobReopened, JobReopening, Sharing,
};
use schemas::moment::Instant;
use schemas::personal::Personal;
use schemas::text::Text;
use schemas::{JobNumber, OfficerId};

use super::super::collection;
use super::super::standing::Status;
use super::super::{Appointment, Entered, Submitted, folded};
use super::Job;
use crate::context::DecisionContext;
use crate::customer::Customer;

/// What stands for the appointment among the fields that are others than before: it is told whatever is shared.
const APPOINTMENT: &str = "appointment";

/// What a command does, as far as a job can turn on it.
struct Turn {
    /// Whether a job is called for, and why where there was one before.
    calls_for_job: Option<JobReopening>,
    /// The fields of the case that are others than before.
    changed: Vec<String>,
    /// Whether something else is asked for.
    other_type: bool,
    /// Whether the appointment that it was to be done at was given up.
    gave_up: bool,
}

impl Turn {
    /// `None` where these events are nothing to a job.
    fn of(before: Option<&Submitted>, events: &[CaseEvent]) -> Option<Self> {
        let mut turn = None;
        for event in events {
            let turn = match event {
                CaseEvent::RequestClosed(_) | CaseEvent::RequestCancelled(_) => {
                    turn.get_or_insert_with(Self::nothing);
                    continue;
                }
                CaseEvent::RequestSubmitted(_)
                | CaseEvent::RequestReopened(_)
                | CaseEvent::TypeChanged(_)
                | CaseEvent::EntryCorrected(_)
                | CaseEvent::RequestUpdated(_)
                | CaseEvent::CaseMoved(_)
                | CaseEvent::InformationProvided(_)
                | CaseEvent::CollectionLookedUp(_)
                | CaseEvent::PaymentReceived(_)
                | CaseEvent::ConcessionGranted(_)
                | CaseEvent::PaymentWrittenOff(_)
                | CaseEvent::AttachmentAdded(_)
                | CaseEvent::AppointmentBooked(_)
                | CaseEvent::AppointmentMoved(_)
                | CaseEvent::AppointmentCancelled(_) => turn.get_or_insert_with(Self::nothing),
                _ => continue,
            };
            match event {
                CaseEvent::RequestSubmitted(_) | CaseEvent::TypeChanged(_) => {
                    turn.calls_for_job = Some(JobReopening::RaisedAgain);
                    if let CaseEvent::TypeChanged(event) = event {
                        turn.changed.extend(event.answers.keys().map(ToString::to_string));
                        turn.other_type = true;
                    }
                }
                CaseEvent::PaymentReceived(_) | CaseEvent::ConcessionGranted(_) | CaseEvent::PaymentWrittenOff(_) => {
                    // What it waited for is there: it goes on.
                    turn.calls_for_job = before
                        .filter(|before| before.waits_for_payment())
                        .map(|_| JobReopening::RaisedAgain);
                }
                // An officer looks at it first.
                CaseEvent::CollectionLookedUp(found) if collection::speaks_against(found) => turn.calls_for_job = None,
                CaseEvent::RequestReopened(_) => turn.calls_for_job = Some(JobReopening::CaseReopened),
                CaseEvent::EntryCorrected(_) if before.is_some_and(|before| before.standing.status != Status::Open) => {
                    turn.calls_for_job = Some(JobReopening::Corrected);
                }
                CaseEvent::RequestUpdated(event) => {
                    let given = [
                        ("description", event.description.is_some()),
                        ("place", event.place.is_some()),
                        ("location", event.place.is_some()),
                    ];
                    turn.changed.extend(
                        given
                            .into_iter()
                            .filter(|(_, given)| *given)
                            .map(|(name, _)| name.to_owned()),
                    );
                    turn.changed.extend(event.answers.keys().map(ToString::to_string));
                }
                CaseEvent::InformationProvided(event) => {
                    turn.changed.extend(event.answers.keys().map(ToString::to_string));
                }
                CaseEvent::CaseMoved(_) => turn.changed.push("contact".to_owned()),
                CaseEvent::AttachmentAdded(event) if event.purpose == AttachmentPurpose::Photo => {
                    turn.changed.push("photos".to_owned());
                }
                CaseEvent::AppointmentBooked(_) | CaseEvent::AppointmentMoved(_) => {
                    turn.calls_for_job = Some(JobReopening::RaisedAgain);
                    turn.changed.push(APPOINTMENT.to_owned());
                }
                CaseEvent::AppointmentCancelled(event) => {
                    turn.gave_up = event.why == AppointmentCancellation::GivenUp;
                }
                _ => {}
            }
        }
        turn
    }

    const fn nothing() -> Self {
        Self {
            calls_for_job: None,
            changed: Vec::new(),
            other_type: false,
            gave_up: false,
        }
    }

    /// Whether what the contractor did so far, or is doing, is not what is asked for by now: at another place, or something else.
    fn is_other_work(&self, job: &Job, sharing: &Sharing) -> bool {
        let is_told = |field: &str| sharing.fields.iter().any(|shared| shared == field);
        let is_other = |field: &str| is_told(field) && self.changed.iter().any(|changed| changed == field);
        let other_place = is_other("place") || is_other("location");
        self.other_type || (job.stage.is_with_contractor() && other_place)
    }
}

/// The events of a command, and what they mean for the job of the case.
pub(in crate::case) fn follow(
    before: Option<&Submitted>,
    mut events: Vec<CaseEvent>,
    circumstances: &Circumstances,
    context: &DecisionContext,
) -> Vec<CaseEvent> {
    let Some(mut turn) = Turn::of(before, &events) else {
        return events;
    };
    let changed_type = events.iter().any(|event| matches!(event, CaseEvent::TypeChanged(_)));
    let request_type = if changed_type {
        &context.other_type
    } else {
        &context.request_type
    };
    let contract = request_type
        .as_ref()
        .and_then(|request_type| request_type.contract.as_ref());
    if contract.is_none() && before.is_none_or(|before| before.standing.job.is_none()) {
        return events;
    }
    let at = context.occurred_at(circumstances);
    let Some(mut after) = folded(before, &events, at) else {
        return events;
    };
    let facts = Facts {
        request_type: request_type.as_deref(),
        circumstances,
        context,
        at,
    };
    // An end or another contractor takes it back; only then can it be raised anew.
    while let Some(event) = after.next_of_job(&turn, &facts) {
        after.fold(&event, Some(at));
        if !matches!(event, CaseEvent::JobCancelled(_)) {
            turn = Turn::nothing();
        }
        let is_theirs_again =
            matches!(&event, CaseEvent::JobReopened(reopened) if reopened.why == JobReopening::RaisedAgain);
        events.push(event);
        let team = request_type
            .as_ref()
            .map(|request_type| &request_type.delivery.team)
            .filter(|_| is_theirs_again);
        if let Some(assigned) = team.and_then(|team| after.goes_to(team)) {
            after.fold(&assigned, Some(at));
            events.push(assigned);
        }
    }
    events
}

/// What a command brings beside the case.
pub(super) struct Facts<'f> {
    /// The type of the case after the command.
    request_type: Option<&'f RequestType>,
    circumstances: &'f Circumstances,
    context: &'f DecisionContext,
    at: Instant,
}

impl Submitted {
    /// What has to be said of the job as the case stands now; none where all is said.
    fn next_of_job(&self, turn: &Turn, facts: &Facts<'_>) -> Option<CaseEvent> {
        let contract = facts
            .request_type
            .and_then(|request_type| request_type.contract.as_deref());
        let job = self.standing.job.as_ref();
        match (&self.standing.status, job.filter(|job| job.is_in_hand()), contract) {
            (Status::Closed { outcome, .. }, Some(job), _) if job.reported.as_ref() == Some(outcome) => {
                let accepted = JobAccepted {
                    job: job.number,
                    contractor: job.contractor.clone(),
                    attempt: job.attempt,
                    how: JobAcceptance::Officer,
                    accepted_by: self
                        .closed_by()
                        .or_else(|| facts.circumstances.actor.as_officer().cloned()),
                    reason: None,
                };
                Some(accepted.into())
            }
            (Status::Closed { .. }, Some(job), _) => {
                Some(self.cancelled(job, JobCancellation::CaseClosed, None, facts))
            }
            (Status::Cancelled, Some(job), _) => Some(self.cancelled(job, JobCancellation::CaseCancelled, None, facts)),
            (Status::Open, Some(job), None) => Some(self.cancelled(job, JobCancellation::TypeChanged, None, facts)),
            (Status::Open, Some(job), Some(contract)) if job.contractor != contract.contractor => {
                Some(self.cancelled(job, JobCancellation::TypeChanged, None, facts))
            }
            // What is asked for by now has to be paid, or an appointment made, before it is anybody's job.
            (Status::Open, Some(job), Some(_)) if turn.other_type && self.waits(facts) => {
                Some(self.cancelled(job, JobCancellation::TypeChanged, None, facts))
            }
            (Status::Open, Some(job), Some(_)) if turn.gave_up && job.stage.is_with_contractor() => {
                Some(self.cancelled(job, JobCancellation::AppointmentGivenUp, None, facts))
            }
            (Status::Open, Some(job), Some(contract)) if turn.is_other_work(job, &self.sharing(facts.request_type)) => {
                Some(self.raised(contract, JobReopening::OtherWork, None, facts))
            }
            (Status::Open, Some(job), Some(contract)) => self.changed(job, contract, turn, facts),
            (Status::Open, None, Some(contract)) => {
                // What another system closed or still handles is nobody's job here until an officer says so.
                let may_begin = !facts.context.may_leave_decider_unrecorded && !self.waits_for_payment();
                let why = turn.calls_for_job.filter(|_| may_begin)?;
                // What is done at an appointment waits for one; but a reopening reaches whoever was at it, at once.
                let was_at_it = why == JobReopening::CaseReopened && self.standing.job.is_some();
                if !was_at_it && self.waits(facts) {
                    return None;
                }
                let reason = facts
                    .circumstances
                    .reason
                    .clone()
                    .filter(|_| why == JobReopening::CaseReopened);
                Some(self.raised(contract, why, reason, facts))
            }
            (_, None, _) => None,
        }
    }

    /// The job raised; taken up again, where this contractor had it before.
    pub(super) fn raised(
        &self,
        contract: &Contract,
        why: JobReopening,
        reason: Option<Personal<Text>>,
        facts: &Facts<'_>,
    ) -> CaseEvent {
        let sharing = self.sharing(facts.request_type);
        let precautions = facts.precautions();
        let raised_on = london::day_of(facts.at.get());
        // A reopening begins after what was booked before it.
        let slot = self.booked_slot(facts).filter(|_| why != JobReopening::CaseReopened);
        let earlier = self.standing.job.as_ref();
        let mut event: CaseEvent = match earlier.filter(|earlier| earlier.contractor == contract.contractor) {
            Some(earlier) => JobReopened {
                job: earlier.number,
                contractor: contract.contractor.clone(),
                code: contract.code.clone(),
                attempt: earlier.attempt.saturating_add(1),
                why,
                sharing,
                precautions,
                slot,
                raised_on,
                clocks: Vec::new(),
                reason,
            }
            .into(),
            None => JobRaised {
                job: earlier.map_or(JobNumber::FIRST, |earlier| earlier.number.next()),
                contractor: contract.contractor.clone(),
                code: contract.code.clone(),
                sharing,
                precautions,
                slot,
                raised_on,
                clocks: Vec::new(),
                reason,
            }
            .into(),
        };
        let after = self.clocks_of(&event, facts);
        match &mut event {
            CaseEvent::JobReopened(event) => event.clocks = after,
            CaseEvent::JobRaised(event) => event.clocks = after,
            _ => {}
        }
        event
    }

    /// What the contractor was told, where it is another by now.
    fn changed(&self, job: &Job, contract: &Contract, turn: &Turn, facts: &Facts<'_>) -> Option<CaseEvent> {
        let sharing = self.sharing(facts.request_type);
        let changed: Vec<String> = sharing
            .fields
            .iter()
            .map(String::as_str)
            .chain([APPOINTMENT])
            .filter(|field| turn.changed.iter().any(|changed| changed == field))
            .map(ToOwned::to_owned)
            .collect();
        let told = JobChanged {
            job: job.number,
            contractor: job.contractor.clone(),
            code: contract.code.clone(),
            changed,
            sharing,
            precautions: facts.precautions(),
            slot: self.booked_slot(facts),
        };
        let is_news = (job.stage.is_with_contractor() && !told.changed.is_empty()) || told.code != job.code;
        is_news.then(|| told.into())
    }

    pub(super) fn cancelled(
        &self,
        job: &Job,
        why: JobCancellation,
        reason: Option<Personal<Text>>,
        facts: &Facts<'_>,
    ) -> CaseEvent {
        let mut event = JobCancelled {
            job: job.number,
            contractor: job.contractor.clone(),
            why,
            clocks: Vec::new(),
            reason,
        };
        event.clocks = self.clocks_of(&event.clone().into(), facts);
        event.into()
    }

    /// Whether it has to be paid first, or is to be done at an appointment and none is to come.
    fn waits(&self, facts: &Facts<'_>) -> bool {
        let is_booked = facts
            .request_type
            .is_some_and(|request_type| request_type.calendar.is_some());
        let can_be_kept = |appointment: &Appointment| appointment.can_be_kept(facts.context.now);
        self.waits_for_payment() || (is_booked && !self.standing.appointments.iter().any(can_be_kept))
    }

    /// The slot for which it is booked, where that has not ended.
    fn booked_slot(&self, facts: &Facts<'_>) -> Option<Slot> {
        let is_booked = facts.request_type?.calendar.is_some();
        let mut standing = self.standing.appointments.iter();
        let kept = standing.rfind(|appointment| is_booked && appointment.can_be_kept(facts.context.now))?;
        kept.booked()
    }

    /// The officer who closed it last.
    fn closed_by(&self) -> Option<OfficerId> {
        let mut closings = self.entries.iter().rev().filter_map(|entry| match &entry.what {
            Entered::Closed { by, .. } => Some(by.clone()),
            _ => None,
        });
        closings.next().flatten()
    }

    fn clocks_of(&self, event: &CaseEvent, facts: &Facts<'_>) -> Vec<schemas::clock::ClockStanding> {
        self.clocks_after(event, facts.context, facts.at)
    }

    /// Of what the catalogue lets the contractor know, what the case has.
    fn sharing(&self, request_type: Option<&RequestType>) -> Sharing {
        let told = request_type.and_then(RequestType::told_to_contractor);
        // Whose case it is has a name.
        let has = |field: &&String| match field.as_str() {
            "contact" => self.opened.customer_id.is_some(),
            "location" => self.given.contains("place"),
            field => self.given.contains(field),
        };
        Sharing {
            fields: told.map_or_else(Vec::new, |told| told.fields.iter().filter(has).cloned().collect()),
            purpose: told.map_or_else(String::new, |told| told.purpose.clone()),
            legal_basis: request_type
                .map_or("", |request_type| request_type.legal_basis.as_str())
                .to_owned(),
        }
    }

    pub(super) fn facts<'f>(
        &self,
        request_type: &'f RequestType,
        circumstances: &'f Circumstances,
        context: &'f DecisionContext,
    ) -> Facts<'f> {
        Facts {
            request_type: Some(request_type),
            circumstances,
            context,
            at: context.occurred_at(circumstances),
        }
    }
}

impl Facts<'_> {
    /// What to mind at the door of whose case it is; not of who complained of an offence: nobody goes to them, and it would say who.
    fn precautions(&self) -> Vec<Precaution> {
        if self.request_type.is_some_and(|request_type| request_type.enforcement) {
            return Vec::new();
        }
        let today = london::day_of(self.context.now.get());
        let records = [&self.context.other_customer, &self.context.kept_customer];
        let mut all: Vec<_> = records
            .into_iter()
            .flatten()
            .flat_map(|record: &Arc<Customer>| record.precautions(today))
            .collect();
        all.sort();
        all.dedup();
        all
    }
}
