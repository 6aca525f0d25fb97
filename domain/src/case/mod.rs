//! A case: one request, from its opening to its end, and after.

mod closing;
mod information;
mod notification;
mod opening;
mod progress;

use std::collections::BTreeMap;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use schemas::command::{Command, CommandBody, InformationWanted, NoticeMedium};
use schemas::event::{CaseEvent, RequestClass, RequestSubmitted};
use schemas::moment::{Day, Instant};
use schemas::query::CaseStatus;
use schemas::{CustomerId, EventId, OfficerId, OutcomeCode, Reference, RequestTypeCode, ServiceName, TeamName};
use serde::{Deserialize, Serialize};

use crate::context::{CommandInContext, DecisionContext, Timeline};
use crate::rejection::Rejection;

/// A case, folded. Holds what rules ask for and no personal value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    submitted: Option<Box<Submitted>>,
    timeline: Timeline,
}

/// What a case was opened with; it stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// What people quote.
    pub reference: Reference,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// What is asked for.
    pub request_type: RequestTypeCode,
    /// What kind of case that makes.
    pub class: RequestClass,
    /// The catalogue that it is handled under.
    pub catalogue_version: String,
    /// Whose case it is.
    pub customer_id: Option<CustomerId>,
    /// The day that its clocks started from.
    pub received_on: Day,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Submitted {
    opened: Opened,
    status: Status,
    team: TeamName,
    officer: Option<OfficerId>,
    times_reopened: u32,
    /// What it waits for from the person, and since when; nothing unless it is open.
    waiting_for: BTreeMap<InformationWanted, Day>,
    notified: Vec<Notified>,
}

/// Where a case is. An outcome exists exactly while it is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Status {
    Open,
    Closed { outcome: OutcomeCode },
    Cancelled,
}

/// A notice whose end is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Notified {
    about: EventId,
    recipient: CustomerId,
    medium: NoticeMedium,
}

impl Case {
    /// What it was opened with; `None` before that.
    #[must_use]
    pub fn opened(&self) -> Option<&Opened> {
        self.submitted.as_ref().map(|submitted| &submitted.opened)
    }

    /// Whose case it is.
    #[must_use]
    pub fn customer_id(&self) -> Option<CustomerId> {
        self.opened().and_then(|opened| opened.customer_id)
    }

    /// What is asked for.
    #[must_use]
    pub fn request_type(&self) -> Option<&RequestTypeCode> {
        self.opened().map(|opened| &opened.request_type)
    }

    /// What people quote.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        self.opened().map(|opened| &opened.reference)
    }

    /// The service that it belongs to.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceName> {
        self.opened().map(|opened| &opened.service)
    }

    /// Where it is.
    #[must_use]
    pub fn status(&self) -> Option<CaseStatus> {
        self.submitted.as_ref().map(|submitted| match submitted.status {
            Status::Open => CaseStatus::Open,
            Status::Closed { .. } => CaseStatus::Closed,
            Status::Cancelled => CaseStatus::Cancelled,
        })
    }

    /// What came of it, while it is closed.
    #[must_use]
    pub fn outcome(&self) -> Option<&OutcomeCode> {
        match self.submitted.as_ref().map(|submitted| &submitted.status) {
            Some(Status::Closed { outcome }) => Some(outcome),
            _ => None,
        }
    }

    /// The team that has it.
    #[must_use]
    pub fn team(&self) -> Option<&TeamName> {
        self.submitted.as_ref().map(|submitted| &submitted.team)
    }

    /// The officer who has it, where one is named.
    #[must_use]
    pub fn officer(&self) -> Option<&OfficerId> {
        self.submitted.as_ref().and_then(|submitted| submitted.officer.as_ref())
    }

    /// How often it was reopened.
    #[must_use]
    pub fn times_reopened(&self) -> u32 {
        self.submitted.as_ref().map_or(0, |submitted| submitted.times_reopened)
    }

    /// What it waits for from the person whose case it is.
    pub fn waiting_for(&self) -> impl Iterator<Item = InformationWanted> {
        self.submitted
            .iter()
            .flat_map(|submitted| submitted.waiting_for.keys().copied())
    }

    /// Decides a command. See [`crate::decide`].
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn decide(&self, command: &Command, context: &DecisionContext) -> Result<Vec<CaseEvent>, Rejection> {
        let circumstances = &command.circumstances;
        context.check_times(circumstances, &self.timeline)?;
        let Some(submitted) = &self.submitted else {
            return match &command.body {
                CommandBody::SubmitRequest(submit) => opening::submit(submit, circumstances, context).map(one),
                _ => Err(Rejection::UnknownCase),
            };
        };
        match &command.body {
            CommandBody::SubmitRequest(_) => Err(Rejection::AlreadyExists),
            CommandBody::UpdateRequest(update) => submitted.update(update, circumstances, context).map(one),
            CommandBody::AssignRequest(assign) => submitted.assign(assign, circumstances, context),
            CommandBody::CancelRequest(_) => submitted.cancel(circumstances, context).map(one),
            CommandBody::CloseRequest(close) => submitted.close(close, circumstances, context).map(one),
            CommandBody::ReopenRequest(_) => submitted
                .reopen(circumstances, context, self.timeline.closed_at)
                .map(one),
            CommandBody::AskForInformation(ask) => submitted.ask(ask, circumstances, context).map(one),
            CommandBody::ProvideInformation(provide) => submitted.provide(provide, circumstances, context).map(one),
            CommandBody::AddNote(add) => information::note(add, circumstances, context).map(one),
            CommandBody::RecordNotification(notification) => submitted.record_notification(notification, circumstances),
            _ => Err(Rejection::UnknownCase),
        }
    }

    /// The last of its times that rules compare with; nothing that happens from now on is earlier.
    pub(crate) fn latest(&self) -> Option<Instant> {
        self.timeline.latest()
    }

    /// Takes in the next event, which happened at `occurred_at`.
    pub fn apply_at(&mut self, event: &CaseEvent, occurred_at: Instant) {
        self.timeline.began_at.get_or_insert(occurred_at);
        if matches!(event, CaseEvent::RequestClosed(_)) {
            self.timeline.closed_at = Some(occurred_at);
        }
        self.fold(event);
    }

    fn fold(&mut self, event: &CaseEvent) {
        match (event, &mut self.submitted) {
            (CaseEvent::RequestSubmitted(event), submitted @ None) => {
                *submitted = Some(Box::new(Submitted::new(event)))
            }
            (event, Some(submitted)) => submitted.fold(event),
            // The log lets nothing stand before a stream's first event.
            (_, None) => {}
        }
    }
}

fn one(event: impl Into<CaseEvent>) -> Vec<CaseEvent> {
    vec![event.into()]
}

impl Submitted {
    fn new(event: &RequestSubmitted) -> Self {
        Self {
            opened: Opened {
                reference: event.reference.clone(),
                service: event.service.clone(),
                request_type: event.request_type.clone(),
                class: event.class,
                catalogue_version: event.catalogue_version.clone(),
                customer_id: event.customer_id,
                received_on: event.received_on,
            },
            status: Status::Open,
            team: event.team.clone(),
            officer: None,
            times_reopened: 0,
            waiting_for: BTreeMap::new(),
            notified: Vec::new(),
        }
    }

    fn fold(&mut self, event: &CaseEvent) {
        match event {
            CaseEvent::RequestSubmitted(_) | CaseEvent::RequestUpdated(_) | CaseEvent::NoteAdded(_) => {}
            CaseEvent::InformationAskedFor(event) => _ = self.waiting_for.entry(event.wanted).or_insert(event.asked_on),
            CaseEvent::InformationProvided(event) => _ = self.waiting_for.remove(&event.wanted),
            CaseEvent::RequestAssigned(event) => {
                self.team = event.team.clone();
                self.officer = event.officer.clone();
            }
            CaseEvent::RequestCancelled(_) => {
                self.status = Status::Cancelled;
                self.waiting_for.clear();
            }
            CaseEvent::RequestClosed(event) => {
                self.waiting_for.clear();
                self.status = Status::Closed {
                    outcome: event.outcome.clone(),
                }
            }
            CaseEvent::RequestReopened(event) => {
                self.status = Status::Open;
                self.times_reopened = event.times;
                self.team = event.team.clone();
                self.officer = None;
            }
            CaseEvent::NotificationSent(event) => self.note(event.about_event, event.recipient, event.medium),
            CaseEvent::NotificationFailed(event) => self.note(event.about_event, event.recipient, event.medium),
        }
    }

    fn note(&mut self, about: EventId, recipient: CustomerId, medium: NoticeMedium) {
        self.notified.push(Notified {
            about,
            recipient,
            medium,
        });
    }

    /// Refuses what only an open case allows.
    fn must_be_open(&self) -> Result<(), Rejection> {
        match self.status {
            Status::Open => Ok(()),
            Status::Closed { .. } => Err(Rejection::CaseClosed),
            Status::Cancelled => Err(Rejection::CaseCancelled),
        }
    }
}

impl Aggregate for Case {
    const TYPE: &'static str = CaseEvent::AGGREGATE;
    type Command = CommandInContext;
    type Event = CaseEvent;
    type Error = Rejection;
    type Services = ();

    async fn handle(&mut self, command: CommandInContext, (): &(), sink: &EventSink<Self>) -> Result<(), Rejection> {
        self.timeline = command.timeline;
        for event in self.decide(&command.command, &command.context)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: CaseEvent) {
        self.fold(&event);
    }
}
