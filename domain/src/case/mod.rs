//! A case: one request, from its opening to its end, and after.

mod clocks;
mod closing;
mod correction;
mod decision;
mod handling;
mod information;
mod job;
mod notification;
mod opening;
mod payment;
mod progress;
mod remedy;
mod standing;
mod timekeeping;

use std::collections::BTreeSet;
use std::sync::Arc;

use catalogue::RequestType;
use catalogue::clocks::ClockFiles;
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use schemas::clock::ClockStanding;
use schemas::command::{CaseRelation, Command, CommandBody, InformationWanted, NoticeMedium};
use schemas::event::{CaseEvent, Clock, Clocks, RequestClass, RequestSubmitted};
use schemas::moment::{Day, Instant};
use schemas::query::{CaseStatus, JobSummary, PaymentSummary};
use schemas::{
    CaseId, CustomerId, EventId, OfficerId, OutcomeCode, QuestionId, Reference, RequestTypeCode, ServiceName, TeamName,
    Version,
};
use serde::{Deserialize, Serialize};

pub use clocks::in_time;
use job::Job;
use payment::Payment;
pub(crate) use standing::{Entered, Standing};
use standing::{Entry, Status};

use crate::clock::{self, Answer};
use crate::context::{CommandInContext, DecisionContext, Timeline};
use crate::rejection::Rejection;

/// A case, folded. Holds what rules ask for and no personal value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    submitted: Option<Box<Submitted>>,
    timeline: Timeline,
}

/// What a case was opened with, and what was mended of that.
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
    /// The case whose next stage it is.
    pub follows: Option<CaseId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Submitted {
    // What changes seldom is shared by the states that follow one another: each command is decided on a state of its own.
    opened: Arc<Opened>,
    /// As it stood when it was opened, before every entry.
    first: Arc<Standing>,
    /// Which fields it has: `description`, `place`, and the questions that are answered.
    given: Arc<BTreeSet<String>>,
    /// What happened since, but for what was struck out.
    entries: Vec<Arc<Entry>>,
    struck: BTreeSet<Version>,
    /// What they come to.
    standing: Standing,
    clocks: Clocks,
    payments: Vec<Payment>,
    /// Who decided the case whose next stage this is.
    earlier_deciders: Vec<OfficerId>,
    notified: Vec<Notified>,
    /// The number of its last event.
    last: Version,
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
        self.submitted.as_ref().map(|submitted| submitted.opened.as_ref())
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

    fn standing(&self) -> Option<&Standing> {
        self.submitted.as_ref().map(|submitted| &submitted.standing)
    }

    /// Where it is.
    #[must_use]
    pub fn status(&self) -> Option<CaseStatus> {
        self.standing().map(Standing::status)
    }

    /// What came of it, while it is closed.
    #[must_use]
    pub fn outcome(&self) -> Option<&OutcomeCode> {
        self.standing()?.outcome().map(|(outcome, _)| outcome)
    }

    /// The team that has it.
    #[must_use]
    pub fn team(&self) -> Option<&TeamName> {
        self.standing().map(|standing| &standing.team)
    }

    /// The officer who has it, where one is named.
    #[must_use]
    pub fn officer(&self) -> Option<&OfficerId> {
        self.standing()?.officer.as_ref()
    }

    /// The job that it is to its contractor, the last there was.
    #[must_use]
    pub fn job(&self) -> Option<JobSummary> {
        self.standing()?.job.as_ref().map(Job::told)
    }

    /// What it costs, and what became of that.
    pub fn payments(&self) -> impl Iterator<Item = PaymentSummary> {
        let payments = self.submitted.iter().flat_map(|submitted| &submitted.payments);
        payments.map(Payment::told)
    }

    /// How often it was reopened.
    #[must_use]
    pub fn times_reopened(&self) -> u32 {
        self.standing().map_or(0, |standing| standing.times_reopened)
    }

    /// What it waits for from the person whose case it is.
    pub fn waiting_for(&self) -> impl Iterator<Item = InformationWanted> {
        self.standing()
            .into_iter()
            .flat_map(|standing| standing.waiting_for.keys().copied())
    }

    /// Who had a part in deciding it: none of them decides its next stage.
    pub fn deciders(&self) -> impl Iterator<Item = &OfficerId> {
        self.standing().into_iter().flat_map(|standing| &standing.deciders)
    }

    /// The cases that it is linked to, and what it is to each.
    pub fn links(&self) -> impl Iterator<Item = (CaseRelation, CaseId)> {
        let entries = self.submitted.iter().flat_map(|submitted| &submitted.entries);
        entries.filter_map(|entry| match &entry.what {
            Entered::Linked { relation, case_id } => Some((*relation, *case_id)),
            _ => None,
        })
    }

    /// Its clocks as its events tell them, by name: those that run, and those that ended since it was opened last.
    pub fn clocks(&self) -> impl Iterator<Item = (&QuestionId, &Clock)> {
        self.submitted.iter().flat_map(|submitted| submitted.clocks.iter())
    }

    /// Those that run, as an event tells them.
    #[must_use]
    pub fn running_clocks(&self) -> Vec<ClockStanding> {
        self.submitted
            .as_ref()
            .map_or_else(Vec::new, |submitted| submitted.clocks.running())
    }

    /// Why a running clock of it is due when it is, as far as these files say: worked out anew, which can differ from what was told.
    #[must_use]
    pub fn explain(&self, files: &ClockFiles, request_type: &RequestType, clock: &QuestionId) -> Option<Answer> {
        let all = clock::of_case(files, request_type, self.standing()?);
        all.into_iter().find(|named| named.name == *clock)?.answer.ok()
    }

    /// Decides a command. See [`crate::decide`].
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn decide(&self, command: &Command, context: &DecisionContext) -> Result<Vec<CaseEvent>, Rejection> {
        let circumstances = &command.circumstances;
        context.check_times(circumstances, &self.timeline)?;
        let Some(submitted) = &self.submitted else {
            let CommandBody::SubmitRequest(submit) = &command.body else {
                return Err(Rejection::UnknownCase);
            };
            let opened = opening::submit(submit, circumstances, context).map(one)?;
            let events = payment::follow(None, opened, circumstances, context);
            return Ok(job::follow(None, events, circumstances, context));
        };
        let opened = &submitted.opened;
        context.check_person(circumstances, opened.customer_id, &opened.service)?;
        let events = submitted.decide(self.timeline, command, context)?;
        let events = payment::follow(Some(submitted), events, circumstances, context);
        Ok(job::follow(Some(submitted), events, circumstances, context))
    }

    /// The last of its times that rules compare with; nothing that happens from now on is earlier.
    pub(crate) fn latest(&self) -> Option<Instant> {
        self.timeline.latest()
    }

    /// Takes in the next event, which happened at `occurred_at`.
    pub fn apply_at(&mut self, event: &CaseEvent, occurred_at: Instant) {
        self.timeline.began_at.get_or_insert(occurred_at);
        self.fold(event, Some(occurred_at));
        if let Some(submitted) = &self.submitted {
            self.timeline.closed_at = submitted.closed_at();
        }
    }

    fn fold(&mut self, event: &CaseEvent, at: Option<Instant>) {
        match (event, &mut self.submitted) {
            (CaseEvent::RequestSubmitted(event), submitted @ None) => {
                *submitted = Some(Box::new(Submitted::new(event, at)));
            }
            (event, Some(submitted)) => submitted.fold(event, at),
            // The log lets nothing stand before a stream's first event.
            (_, None) => {}
        }
    }
}

/// The case after these events.
fn folded(before: Option<&Submitted>, events: &[CaseEvent], at: Instant) -> Option<Submitted> {
    let (mut after, rest) = match (before, events) {
        (Some(before), events) => (before.clone(), events),
        (None, [CaseEvent::RequestSubmitted(first), rest @ ..]) => (Submitted::new(first, Some(at)), rest),
        (None, _) => return None,
    };
    for event in rest {
        after.fold(event, Some(at));
    }
    Some(after)
}

/// Which fields a case was opened with.
fn given_with(event: &RequestSubmitted) -> BTreeSet<String> {
    let parts = [
        ("description", event.description.is_some()),
        ("place", event.place.is_some()),
    ];
    let parts = parts
        .into_iter()
        .filter(|(_, given)| *given)
        .map(|(name, _)| name.to_owned());
    parts.chain(event.answers.keys().map(ToString::to_string)).collect()
}

fn one(event: impl Into<CaseEvent>) -> Vec<CaseEvent> {
    vec![event.into()]
}

impl Submitted {
    /// What a command does to the case itself.
    fn decide(
        &self,
        timeline: Timeline,
        command: &Command,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        let circumstances = &command.circumstances;
        match &command.body {
            CommandBody::SubmitRequest(_) => Err(Rejection::AlreadyExists),
            CommandBody::UpdateRequest(update) => self.update(update, circumstances, context).map(one),
            CommandBody::AssignRequest(assign) => self.assign(assign, circumstances, context),
            CommandBody::CancelRequest(_) => self.cancel(circumstances, context).map(one),
            CommandBody::CloseRequest(close) => self.close(close, circumstances, context).map(one),
            CommandBody::AcknowledgeRequest(_) => self.acknowledge(circumstances, context),
            CommandBody::ExtendTime(extend) => self.extend_time(extend, circumstances, context).map(one),
            CommandBody::SetDeadline(set) => self.set_deadline(set, circumstances, context),
            CommandBody::RecordContact(contact) => handling::contact(contact, circumstances, context).map(one),
            CommandBody::LinkCase(link) => self.link(link, circumstances, context),
            CommandBody::SendForInvestigation(send) => self.send_out(send, circumstances, context).map(one),
            CommandBody::RecordFindings(findings) => self.findings(findings, circumstances, context).map(one),
            CommandBody::AgreeRemedy(agree) => self.agree_remedy(agree, circumstances, context).map(one),
            CommandBody::RecordRemedyDone(done) => self.remedy_done(done, circumstances, context),
            CommandBody::AssessEligibility(assess) => self.assess(assess, circumstances, context).map(one),
            CommandBody::RecordDecision(decision) => self.record_decision(decision, circumstances, context).map(one),
            CommandBody::RecordBadgeIssued(issued) => self.badge_issued(issued, circumstances, context).map(one),
            CommandBody::ChangeType(change) => self.change_type(change, circumstances, context),
            CommandBody::MoveToCustomer(to) => self.move_to(to, circumstances, context),
            CommandBody::CorrectEntry(correct) => self.correct(correct, circumstances, context).map(one),
            CommandBody::RaiseJob(_) => self.raise_job(circumstances, context),
            CommandBody::WithdrawJob(_) => self.withdraw_job(circumstances, context),
            CommandBody::AcknowledgeJob(acknowledge) => self.acknowledge_job(acknowledge, circumstances, context),
            CommandBody::RejectJob(reject) => self.reject_job(reject, circumstances, context),
            CommandBody::RecordJobProgress(progress) => self.job_progress(progress, circumstances, context),
            CommandBody::ReportJobDone(done) => self.job_done(done, circumstances, context),
            CommandBody::ReportJobFailed(failed) => self.job_failed(failed, circumstances, context),
            CommandBody::AcceptJob(accept) => self.accept_job(accept.job, circumstances, context),
            CommandBody::SendJobBack(back) => self.send_job_back(back.job, circumstances, context),
            CommandBody::RequestPayment(request) => self.request_payment(request, circumstances, context).map(one),
            CommandBody::GrantConcession(grant) => self.grant_concession(grant, circumstances, context).map(one),
            CommandBody::RecordPayment(paid) => self.record_payment(paid, circumstances, context).map(one),
            CommandBody::RecordPaymentFailure(failed) => self.payment_failed(failed, circumstances, context).map(one),
            CommandBody::DecideRefund(refund) => self.decide_refund(refund, circumstances, context).map(one),
            CommandBody::RecordRefund(refund) => self.record_refund(refund, circumstances, context).map(one),
            CommandBody::WriteOffPayment(write_off) => self.write_off(write_off, circumstances, context).map(one),
            CommandBody::RecordClock(clock) => self.record_clock(clock, circumstances, context),
            CommandBody::RecomputeClocks(_) => self.recompute(circumstances, context),
            CommandBody::ReopenRequest(_) => self.reopen(circumstances, context, timeline.closed_at).map(one),
            CommandBody::AskForInformation(ask) => self.ask(ask, circumstances, context).map(one),
            CommandBody::ProvideInformation(provide) => self.provide(provide, circumstances, context).map(one),
            CommandBody::AddNote(add) => information::note(add, circumstances, context).map(one),
            CommandBody::RecordNotification(notification) => self.record_notification(notification, circumstances),
            _ => Err(Rejection::UnknownCase),
        }
    }

    fn new(event: &RequestSubmitted, at: Option<Instant>) -> Self {
        let mut standing = Standing::opened(event.request_type.clone(), event.team.clone(), event.received_on, at);
        standing.open_answers = standing::open_answers(&event.answers);
        let mut clocks = Clocks::default();
        clocks.apply(&event.clone().into(), at);
        let follows = event.follows.as_ref();
        Self {
            opened: Arc::new(Opened {
                reference: event.reference.clone(),
                service: event.service.clone(),
                request_type: event.request_type.clone(),
                class: event.class,
                catalogue_version: event.catalogue_version.clone(),
                customer_id: event.customer_id,
                received_on: event.received_on,
                follows: follows.map(|follows| follows.case_id),
            }),
            first: Arc::new(standing.clone()),
            given: Arc::new(given_with(event)),
            entries: Vec::new(),
            struck: BTreeSet::new(),
            standing,
            clocks,
            payments: Vec::new(),
            earlier_deciders: follows.map_or_else(Vec::new, |follows| follows.decided_by.clone()),
            notified: Vec::new(),
            last: Version(1),
        }
    }

    fn fold(&mut self, event: &CaseEvent, at: Option<Instant>) {
        self.last = Version(self.last.0 + 1);
        if let Some(what) = Entered::of(event) {
            let number = self.last;
            let entry = Entry { number, at, what };
            self.standing.enter(&entry);
            self.entries.push(Arc::new(entry));
        }
        match event {
            CaseEvent::RequestUpdated(event) => {
                let parts = [
                    ("description", event.description.is_some()),
                    ("place", event.place.is_some()),
                ];
                let parts = parts
                    .into_iter()
                    .filter(|(_, given)| *given)
                    .map(|(name, _)| name.to_owned());
                self.gives(parts.chain(event.answers.keys().map(ToString::to_string)).collect());
            }
            CaseEvent::InformationProvided(event) => {
                self.gives(event.answers.keys().map(ToString::to_string).collect());
            }
            CaseEvent::TypeChanged(event) => {
                let opened = Arc::make_mut(&mut self.opened);
                (opened.request_type, opened.class) = (event.request_type.clone(), event.class);
                let given = Arc::make_mut(&mut self.given);
                given.retain(|name| matches!(name.as_str(), "description" | "place"));
                given.extend(event.answers.keys().map(ToString::to_string));
            }
            CaseEvent::CaseMoved(event) => Arc::make_mut(&mut self.opened).customer_id = Some(event.customer_id),
            CaseEvent::EntryCorrected(event) => {
                self.strike(event.entry);
            }
            CaseEvent::NotificationSent(event) => self.note(event.about_event, event.recipient, event.medium),
            CaseEvent::NotificationFailed(event) => self.note(event.about_event, event.recipient, event.medium),
            _ => {}
        }
        payment::apply(&mut self.payments, event);
        self.clocks.apply(event, at);
    }

    /// These fields are there from now on.
    fn gives(&mut self, names: Vec<String>) {
        if names.iter().any(|name| !self.given.contains(name)) {
            Arc::make_mut(&mut self.given).extend(names);
        }
    }

    /// Takes an entry out, and the rest together anew.
    fn strike(&mut self, number: Version) {
        self.entries.retain(|entry| entry.number != number);
        self.struck.insert(number);
        self.standing = self.first.as_ref().clone();
        for entry in &self.entries {
            self.standing.enter(entry);
        }
    }

    /// How the clocks stand after an event that is about to be written. None are worked out where their files are not given.
    fn clocks_after(&self, event: &CaseEvent, context: &DecisionContext, at: Instant) -> Vec<ClockStanding> {
        let (Some(files), Some(request_type)) = (&context.clock_files, &context.request_type) else {
            return self.clocks.running();
        };
        let mut after = self.clone();
        after.fold(event, Some(at));
        let before = clocks::worked_out(files, request_type, &self.standing);
        let moved_to = context.other_type.as_ref();
        let request_type = moved_to
            .filter(|other| other.code == after.opened.request_type)
            .unwrap_or(request_type);
        let mut standing = clocks::worked_out(files, request_type, &after.standing);
        // What this event does not move stays as it was told, whatever the calendar says by now.
        for clock in &mut standing {
            let told = self.clocks.get(&clock.clock).filter(|told| told.runs);
            if let (true, Some(told)) = (before.contains(clock), told) {
                (clock.due, clock.near_on) = (told.due, told.near_on);
            }
        }
        standing
    }

    /// When it was closed last, as far as is known.
    fn closed_at(&self) -> Option<Instant> {
        let closings = self.entries.iter().rev();
        closings
            .filter(|entry| matches!(entry.what, Entered::Closed { .. }))
            .find_map(|entry| entry.at)
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
        match self.standing.status {
            Status::Open => Ok(()),
            Status::Closed { .. } => Err(Rejection::CaseClosed),
            Status::Cancelled => Err(Rejection::CaseCancelled),
        }
    }

    /// Refuses a day before the one that clocks run from.
    fn must_not_precede_receipt(&self, on: Day) -> Result<(), Rejection> {
        if on < self.standing.started.0 {
            return Err(Rejection::BeforeTheReceipt);
        }
        Ok(())
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
        self.fold(&event, None);
    }
}
