//! A collection round on one day, as its contractor tells it: how many collections, how far it is, and where nothing was collected
//! and why. Such facts are there before anybody reports anything; a report of a missed collection is looked at beside them.

use std::collections::BTreeMap;

use catalogue::{Rounds, london};
use schemas::command::{
    ActorKind, Command, CommandBody, RecordCollectionException, RecordRoundStatus, RecordScheduledCollections,
    RoundStatus,
};
use schemas::event::{CollectionExceptionRecorded, RoundEvent, RoundStatusRecorded, ScheduledCollectionsRecorded};
use schemas::moment::{Day, Instant};
use schemas::text::Uprn;
use schemas::{ClientName, ContractorCode, OutcomeCode, Personal};
use serde::{Deserialize, Serialize};

use crate::context::{DecisionContext, Timeline};
use crate::rejection::Rejection;

/// A round, folded. The properties in it are sealed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    scheduled: BTreeMap<ContractorCode, u32>,
    status: Option<RoundStatus>,
    exceptions: Vec<CollectionException>,
    timeline: Timeline,
}

/// Where nothing was collected, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CollectionException {
    /// The property, sealed.
    pub uprn: Personal<Uprn>,
    /// What was not collected.
    pub what: ContractorCode,
    /// Why, by the contractor's code.
    pub code: ContractorCode,
    /// What the code means.
    pub meaning: String,
    /// The outcome that it points to.
    pub points_to: Option<OutcomeCode>,
}

impl Round {
    /// How far it is, as far as the contractor has said.
    #[must_use]
    pub const fn status(&self) -> Option<RoundStatus> {
        self.status
    }

    /// Where something of this kind was not collected, the last that was told first.
    pub fn exceptions_of(&self, what: &ContractorCode) -> impl Iterator<Item = &CollectionException> {
        self.exceptions
            .iter()
            .rev()
            .filter(move |exception| exception.what == *what)
    }

    /// The last of its times that rules compare with.
    pub(crate) fn latest(&self) -> Option<Instant> {
        self.timeline.latest()
    }

    /// Decides a command. See [`crate::decide`].
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn decide(&self, command: &Command, context: &DecisionContext) -> Result<Vec<RoundEvent>, Rejection> {
        let circumstances = &command.circumstances;
        // What is told of a round can come in any order; nothing of it lies in the future.
        context.check_times(circumstances, &Timeline::default())?;
        if circumstances.actor.kind != ActorKind::Contractor {
            return Err(Rejection::ActorNotAllowed);
        }
        let contractor = context.contractor.as_ref().ok_or(Rejection::NoRounds)?;
        let rounds = context.rounds.as_deref().ok_or(Rejection::NoRounds)?;
        let reason = circumstances.reason.clone();
        match &command.body {
            CommandBody::RecordScheduledCollections(scheduled) => {
                let events = self
                    .scheduled(scheduled, contractor)
                    .map(|event| RoundEvent::from(ScheduledCollectionsRecorded { reason, ..event }));
                Ok(events.into_iter().collect())
            }
            CommandBody::RecordRoundStatus(status) => {
                must_have_come(status.day, context)?;
                let event = self
                    .status_recorded(status, contractor)
                    .map(|event| RoundEvent::from(RoundStatusRecorded { reason, ..event }));
                Ok(event.into_iter().collect())
            }
            CommandBody::RecordCollectionException(exception) => {
                must_have_come(exception.day, context)?;
                let event = exception_recorded(exception, contractor, rounds)?;
                Ok(vec![CollectionExceptionRecorded { reason, ..event }.into()])
            }
            _ => Err(Rejection::UnknownCase),
        }
    }

    /// As it is known already: nothing has to change.
    fn scheduled(
        &self,
        scheduled: &RecordScheduledCollections,
        contractor: &ClientName,
    ) -> Option<ScheduledCollectionsRecorded> {
        let RecordScheduledCollections {
            round,
            day,
            collections,
        } = scheduled.clone();
        (self.scheduled != collections || self.timeline.began_at.is_none()).then(|| ScheduledCollectionsRecorded {
            contractor: contractor.clone(),
            round,
            day,
            collections,
            reason: None,
        })
    }

    fn status_recorded(&self, recorded: &RecordRoundStatus, contractor: &ClientName) -> Option<RoundStatusRecorded> {
        let RecordRoundStatus { round, day, status } = recorded.clone();
        (self.status != Some(status)).then(|| RoundStatusRecorded {
            contractor: contractor.clone(),
            round,
            day,
            status,
            reason: None,
        })
    }

    /// Takes in the next event, which happened at `occurred_at`.
    pub fn apply_at(&mut self, event: &RoundEvent, occurred_at: Instant) {
        self.timeline.began_at.get_or_insert(occurred_at);
        match event {
            RoundEvent::ScheduledCollectionsRecorded(event) => self.scheduled = event.collections.clone(),
            RoundEvent::RoundStatusRecorded(event) => self.status = Some(event.status),
            RoundEvent::CollectionExceptionRecorded(event) => self.exceptions.push(CollectionException {
                uprn: event.uprn.clone(),
                what: event.what.clone(),
                code: event.code.clone(),
                meaning: event.meaning.clone(),
                points_to: event.points_to.clone(),
            }),
        }
    }
}

fn exception_recorded(
    exception: &RecordCollectionException,
    contractor: &ClientName,
    rounds: &Rounds,
) -> Result<CollectionExceptionRecorded, Rejection> {
    let RecordCollectionException {
        round,
        day,
        uprn,
        what,
        code,
        note,
    } = exception.clone();
    let known = rounds
        .exceptions
        .get(&code)
        .ok_or_else(|| Rejection::UnknownContractorCode { code: code.to_string() })?;
    Ok(CollectionExceptionRecorded {
        contractor: contractor.clone(),
        round,
        day,
        uprn,
        what,
        code,
        meaning: known.meaning.clone(),
        points_to: known.points_to.clone(),
        note,
        reason: None,
    })
}

/// What is told of a day is told on it or after.
fn must_have_come(day: Day, context: &DecisionContext) -> Result<(), Rejection> {
    if day > london::day_of(context.now.get()) {
        return Err(Rejection::RoundToCome);
    }
    Ok(())
}
