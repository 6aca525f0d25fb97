//! A case: one request, from its opening to its end, and after.

mod appointment;
mod attachment;
mod clocks;
mod closing;
mod collection;
mod correction;
mod decision;
mod duplicate;
mod enforcement;
mod handling;
mod information;
mod job;
mod notification;
mod opening;
mod payment;
mod progress;
mod remedy;
mod standing;
mod submitted;
mod timekeeping;

use catalogue::RequestType;
use catalogue::clocks::ClockFiles;
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use schemas::clock::ClockStanding;
use schemas::command::{CaseRelation, Command, CommandBody, InformationWanted};
use schemas::event::{CaseEvent, Clock, RequestClass};
use schemas::moment::{Day, Instant};
use schemas::query::{
    AppointmentSummary, AttachmentSummary, CaseStatus, EnforcementSummary, JobSummary, PaymentSummary,
};
use schemas::{
    CaseId, CustomerId, OfficerId, OutcomeCode, QuestionId, Reference, RequestTypeCode, ServiceName, TeamName, Version,
};
use serde::{Deserialize, Serialize};

pub(crate) use appointment::Appointment;
pub use clocks::in_time;
use job::Job;
use payment::Payment;
pub(crate) use standing::{Entered, Standing};
use submitted::{Submitted, folded};

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

    /// Its files, in the order in which they were added, but for those that were struck out.
    pub fn attachments(&self) -> impl Iterator<Item = AttachmentSummary> {
        let standing = self.standing().into_iter();
        standing.flat_map(|standing| standing.attachments.iter().cloned())
    }

    /// Whether what was applied for is granted, as things stand.
    #[must_use]
    pub fn grants(&self, request_type: &RequestType) -> bool {
        let submitted = self.submitted.as_ref();
        submitted.is_some_and(|submitted| submitted.is_granted(request_type))
    }

    /// The last day on which the badge that was issued on it is valid, where one was.
    #[must_use]
    pub fn badge_until(&self) -> Option<Day> {
        self.submitted.as_ref()?.badge_until
    }

    /// Whether something has to be paid before anything goes on.
    #[must_use]
    pub fn waits_for_payment(&self) -> bool {
        self.submitted
            .as_ref()
            .is_some_and(|submitted| submitted.waits_for_payment())
    }

    /// Whether it says where it is.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.submitted
            .as_ref()
            .is_some_and(|submitted| submitted.given.contains("place"))
    }

    /// What was found of what may be an offence, and done against it.
    #[must_use]
    pub fn enforcement(&self) -> Option<EnforcementSummary> {
        self.standing()?.enforcement.told()
    }

    /// Whom it is, or ever was, said to be about.
    pub fn ever_named(&self) -> impl Iterator<Item = CustomerId> {
        let standing = self.standing().into_iter();
        standing.flat_map(|standing| standing.enforcement.ever_named.iter().copied())
    }

    /// Against whom the action of this entry was taken, where it is one.
    #[must_use]
    pub fn subject_of(&self, entry: Version) -> Option<CustomerId> {
        self.standing()?.enforcement.subject_of(entry)
    }

    /// The cases that it may repeat, as was suggested.
    pub fn possible_duplicates(&self) -> impl Iterator<Item = CaseId> {
        let submitted = self.submitted.iter();
        submitted.flat_map(|submitted| submitted.suggested.iter().copied())
    }

    /// Its appointments, in the order in which they were booked.
    pub fn appointments(&self) -> impl Iterator<Item = AppointmentSummary> {
        let appointments = self.standing().into_iter();
        appointments.flat_map(|standing| standing.appointments.iter().map(Appointment::told))
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
            let opened = duplicate::follow(None, collection::follow(opened, context), context);
            let events = payment::follow(None, opened, circumstances, context);
            return Ok(job::follow(None, events, circumstances, context));
        };
        let opened = &submitted.opened;
        context.check_person(circumstances, opened.customer_id, &opened.service)?;
        submitted.must_not_be_about(circumstances, context)?;
        let events = submitted.decide(self.timeline, command, context)?;
        let events = duplicate::follow(Some(submitted), events, context);
        let events = appointment::follow(submitted, events, circumstances, context);
        let events = payment::follow(Some(submitted), events, circumstances, context);
        Ok(job::follow(Some(submitted), events, circumstances, context))
    }

    /// The last of its times that rules compare with; nothing that happens from now on is earlier.
    pub(crate) fn latest(&self) -> Option<Instant> {
        let job = self.standing().and_then(|standing| standing.job.as_ref());
        self.timeline.latest().max(job.and_then(|job| job.began.1))
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
            CommandBody::BookAppointment(book) => self.book_appointment(book.slot, circumstances, context).map(one),
            CommandBody::MoveAppointment(to) => self.move_appointment(to.slot, circumstances, context),
            CommandBody::CancelAppointment(_) => self.cancel_appointment(circumstances, context).map(one),
            CommandBody::RecordAttendance(record) => self.record_attendance(record, circumstances, context).map(one),
            CommandBody::ReleaseAppointment(release) => self.release_appointment(release, circumstances, context),
            CommandBody::AddAttachment(add) => self.add_attachment(add, circumstances, context).map(one),
            CommandBody::RecordIncident(incident) => self.record_incident(incident, circumstances, context),
            CommandBody::NameSubject(name) => self.name_subject(name, circumstances, context).map(one),
            CommandBody::ClearSubject(clear) => self.clear_subject(clear, circumstances, context).map(one),
            CommandBody::TakeEnforcementAction(take) => self.take_action(take, circumstances, context).map(one),
            CommandBody::RecordActionResult(record) => self.action_result(record, circumstances, context).map(one),
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
