//! The state of a case once it was submitted, folded from its events.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemas::clock::ClockStanding;
use schemas::command::{AttachmentPurpose, NoticeMedium};
use schemas::event::{CaseEvent, Clocks, RequestSubmitted};
use schemas::moment::{Day, Instant};
use schemas::{CaseId, CustomerId, EventId, OfficerId, Version};
use serde::{Deserialize, Serialize};

use super::payment::{self, Payment};
use super::standing::{self, Entered, Entry, Standing, Status};
use super::{Opened, clocks};
use crate::context::DecisionContext;
use crate::rejection::Rejection;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Submitted {
    // What changes seldom is shared by the states that follow one another: each command is decided on a state of its own.
    pub(super) opened: Arc<Opened>,
    /// As it stood when it was opened, before every entry.
    pub(super) first: Arc<Standing>,
    /// Which fields it has: `description`, `place`, and the questions that are answered.
    pub(super) given: Arc<BTreeSet<String>>,
    /// What happened since, but for what was struck out.
    pub(super) entries: Vec<Arc<Entry>>,
    pub(super) struck: BTreeSet<Version>,
    /// What they come to.
    pub(super) standing: Standing,
    pub(super) clocks: Clocks,
    pub(super) payments: Vec<Payment>,
    /// Who decided the case whose next stage this is.
    pub(super) earlier_deciders: Vec<OfficerId>,
    pub(super) notified: Vec<Notified>,
    /// Whose it is, and whose it ever was.
    pub(super) ever_customers: BTreeSet<CustomerId>,
    /// The last day on which the badge that was issued on it is valid.
    pub(super) badge_until: Option<Day>,
    /// The cases that it may repeat, as was suggested.
    pub(super) suggested: BTreeSet<CaseId>,
    /// The number of its last event.
    pub(super) last: Version,
}

/// A notice whose end is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Notified {
    pub(super) about: EventId,
    pub(super) recipient: CustomerId,
    pub(super) medium: NoticeMedium,
}

impl Submitted {
    pub(super) fn new(event: &RequestSubmitted, at: Option<Instant>) -> Self {
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
            ever_customers: event.customer_id.into_iter().collect(),
            badge_until: None,
            suggested: BTreeSet::new(),
            last: Version(1),
        }
    }

    pub(super) fn fold(&mut self, event: &CaseEvent, at: Option<Instant>) {
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
            CaseEvent::AttachmentAdded(event) if event.purpose == AttachmentPurpose::Photo => {
                self.gives(vec!["photos".to_owned()]);
            }
            CaseEvent::InformationProvided(event) => {
                self.gives(event.answers.keys().map(ToString::to_string).collect());
            }
            CaseEvent::TypeChanged(event) => {
                let opened = Arc::make_mut(&mut self.opened);
                (opened.request_type, opened.class) = (event.request_type.clone(), event.class);
                let given = Arc::make_mut(&mut self.given);
                given.retain(|name| matches!(name.as_str(), "description" | "place" | "photos"));
                given.extend(event.answers.keys().map(ToString::to_string));
            }
            CaseEvent::CaseMoved(event) => {
                Arc::make_mut(&mut self.opened).customer_id = Some(event.customer_id);
                self.ever_customers.insert(event.customer_id);
            }
            CaseEvent::EntryCorrected(event) => {
                self.strike(event.entry);
            }
            CaseEvent::BadgeIssued(event) => self.badge_until = Some(event.valid_until),
            CaseEvent::DuplicatesSuggested(event) => {
                self.suggested.extend(event.cases.iter().map(|found| found.case_id));
            }
            CaseEvent::NotificationSent(event) => self.note(event.about_event, event.recipient, event.medium),
            CaseEvent::NotificationFailed(event) => self.note(event.about_event, event.recipient, event.medium),
            _ => {}
        }
        payment::apply(&mut self.payments, event);
        self.clocks.apply(event, at);
    }

    /// Whether it was said of another case that the two may be about the same thing, or that they have to do with each other.
    pub(super) fn knows_of(&self, case: CaseId) -> bool {
        let is_link = |entry: &Entry| matches!(&entry.what, Entered::Linked { case_id, .. } if *case_id == case);
        self.suggested.contains(&case) || self.entries.iter().any(|entry| is_link(entry))
    }

    /// These fields are there from now on.
    pub(super) fn gives(&mut self, names: Vec<String>) {
        if names.iter().any(|name| !self.given.contains(name)) {
            Arc::make_mut(&mut self.given).extend(names);
        }
    }

    /// Takes an entry out, and the rest together anew.
    pub(super) fn strike(&mut self, number: Version) {
        self.entries.retain(|entry| entry.number != number);
        self.struck.insert(number);
        self.standing = self.first.as_ref().clone();
        for entry in &self.entries {
            self.standing.enter(entry);
        }
    }

    /// How the clocks stand after an event that is about to be written. None are worked out where their files are not given.
    pub(super) fn clocks_after(&self, event: &CaseEvent, context: &DecisionContext, at: Instant) -> Vec<ClockStanding> {
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
    pub(super) fn closed_at(&self) -> Option<Instant> {
        let closings = self.entries.iter().rev();
        closings
            .filter(|entry| matches!(entry.what, Entered::Closed { .. }))
            .find_map(|entry| entry.at)
    }

    pub(super) fn note(&mut self, about: EventId, recipient: CustomerId, medium: NoticeMedium) {
        self.notified.push(Notified {
            about,
            recipient,
            medium,
        });
    }

    /// Refuses what only an open case allows.
    pub(super) fn must_be_open(&self) -> Result<(), Rejection> {
        match self.standing.status {
            Status::Open => Ok(()),
            Status::Closed { .. } => Err(Rejection::CaseClosed),
            Status::Cancelled => Err(Rejection::CaseCancelled),
        }
    }

    /// Refuses a day before the one that clocks run from.
    pub(super) fn must_not_precede_receipt(&self, on: Day) -> Result<(), Rejection> {
        if on < self.standing.started.0 {
            return Err(Rejection::BeforeTheReceipt);
        }
        Ok(())
    }
}

/// The case after these events.
pub(super) fn folded(before: Option<&Submitted>, events: &[CaseEvent], at: Instant) -> Option<Submitted> {
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
