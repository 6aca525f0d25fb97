//! What a decision rests on beside the command and the stream: facts that somebody else has established.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::Arc;

use catalogue::clocks::ClockFiles;
use catalogue::{RequestType, Rounds, london};
use schemas::command::{ActorKind, Circumstances, Command, CommandBody, Decider};
use schemas::event::{CollectionLookedUp, PossibleDuplicate};
use schemas::located::Located;
use schemas::moment::{Day, Instant};
use schemas::{AggregateId, CaseId, ClientName, CustomerId, OfficerId, Reference, ServiceName, TeamName};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::customer::Customer;
use crate::entitlement::Held;
use crate::rejection::Rejection;

/// The facts.
#[derive(Clone, Debug)]
pub struct DecisionContext {
    /// The instant now.
    pub now: Instant,
    /// The type of the case, or of the one to be opened; `None` where the catalogue has it not, and for customers.
    pub request_type: Option<Arc<RequestType>>,
    /// What a new case is given.
    pub submission: Option<Submission>,
    /// What clocks are worked out with; without it, none are.
    pub clock_files: Option<Arc<ClockFiles>>,
    /// The other case that the command speaks of: one to link to, or whose next stage this is.
    pub other_case: Option<Arc<Case>>,
    /// Its id.
    pub other_case_id: Option<CaseId>,
    /// The other request type that the command speaks of: the right one, or that of the other case.
    pub other_type: Option<Arc<RequestType>>,
    /// The stream that the command speaks to.
    pub subject: Option<AggregateId>,
    /// The customer whose case it is, the one that a case is opened for, or the one that a record is merged into.
    pub other_customer: Option<Arc<Customer>>,
    /// The record of the same person that is kept, where that one was merged.
    pub kept_customer: Option<Arc<Customer>>,
    /// Whether other records were merged into the one that the command speaks to.
    pub others_merged_into_it: bool,
    /// What the register vouches for about the officer of [`named_officer`].
    pub authority: Option<Authority>,
    /// The contractor who reports: whose client it is, or whom a client that speaks for contractors names.
    pub contractor: Option<ClientName>,
    /// What the catalogue says of that contractor's rounds.
    pub rounds: Option<Arc<Rounds>>,
    /// What is known of the collection that a request is about.
    pub collection: Option<CollectionLookedUp>,
    /// In which areas the place is that the command gives, as far as it is known.
    pub located: Option<Located>,
    /// Open cases of the same type near where this one is, the nearest first.
    pub possible_duplicates: Vec<PossibleDuplicate>,
    /// Whose the case is by now that is to grant something, or whose subject is named: the record that is kept, where its customer's was
    /// merged.
    pub holder_of_case: Option<CustomerId>,
    /// The records that are kept of whom the case is, or was, said to be about, where theirs were merged.
    pub subjects_kept: BTreeSet<CustomerId>,
    /// The entitlement whose place another is to take.
    pub replaced: Option<Arc<Held>>,
    /// How many other entitlements of the same kind stand at the property that the command names.
    pub others_at_property: Option<NonZeroU16>,
    /// How many bytes the file has that the command adds, where it was found and is what the command says of it.
    pub attachment_bytes: Option<u32>,
    /// A number from 0 to 99, drawn for this command: whether what a contractor reports as done is inspected. `None`: it is.
    pub inspection_draw: Option<u8>,
    /// Whether the data of the person concerned was erased: then nothing personal can be recorded, not even reasons.
    pub person_erased: bool,
    /// Whether the client may say of a decision that its decider is not recorded.
    pub may_leave_decider_unrecorded: bool,
}

/// What a new case is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its reference, taken before the decision.
    pub reference: Reference,
    /// The catalogue that it is opened under.
    pub catalogue_version: String,
}

/// An officer whom the register knows and who may act now, with their teams. Whoever makes one has looked that up; the rules
/// write no officer's decision without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    officer: OfficerId,
    teams: BTreeSet<TeamName>,
}

impl Authority {
    /// What the register vouches for.
    #[must_use]
    pub const fn vouched(officer: OfficerId, teams: BTreeSet<TeamName>) -> Self {
        Self { officer, teams }
    }

    /// Whom it is about.
    pub(crate) const fn officer(&self) -> &OfficerId {
        &self.officer
    }

    /// Whether it is about this officer.
    pub(crate) fn is_of(&self, officer: &OfficerId) -> bool {
        self.officer == *officer
    }

    /// Whether the officer is of one of these teams.
    pub(crate) fn is_of_any<'t>(&self, teams: impl IntoIterator<Item = &'t TeamName>) -> bool {
        teams.into_iter().any(|team| self.teams.contains(team))
    }

    /// The officer as the one who decided: the only way to write that.
    pub(crate) fn decider(&self) -> Decider {
        Decider::Officer {
            id: self.officer.clone(),
        }
    }
}

/// The officer whose standing the decision rests on, where the command names one: who decided or cancels, or to whom a case is given.
#[must_use]
pub const fn named_officer(command: &Command) -> Option<&OfficerId> {
    match &command.body {
        CommandBody::AssignRequest(assign) => assign.officer.as_ref(),
        body => match decider_of(body) {
            Some(Decider::Officer { id }) => Some(id),
            Some(Decider::NotRecorded) => None,
            None => command.circumstances.actor.as_officer(),
        },
    }
}

/// The decider that a command names.
#[must_use]
pub const fn decider_of(body: &CommandBody) -> Option<&Decider> {
    match body {
        CommandBody::CloseRequest(command) => command.decided_by.as_ref(),
        CommandBody::AssessEligibility(command) => command.decided_by.as_ref(),
        CommandBody::RecordDecision(command) => command.decided_by.as_ref(),
        _ => None,
    }
}

/// When things happened to a stream, as far as rules ask. Payloads don't say; the log's column `occurred_at` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// When its first event happened.
    pub began_at: Option<Instant>,
    /// When it was closed last.
    pub closed_at: Option<Instant>,
}

/// A command with all that its decision rests on, as cqrs-es passes it.
#[derive(Clone, Debug)]
pub struct CommandInContext {
    /// The command, sealed.
    pub command: Command,
    /// The facts.
    pub context: DecisionContext,
    /// The stream's times.
    pub timeline: Timeline,
}

impl Timeline {
    pub(crate) fn latest(&self) -> Option<Instant> {
        self.began_at.max(self.closed_at)
    }
}

impl DecisionContext {
    /// That it is now, and nothing else: no type, no other case or customer, nobody vouched for.
    #[must_use]
    pub const fn at(now: Instant) -> Self {
        Self {
            now,
            request_type: None,
            submission: None,
            clock_files: None,
            other_case: None,
            other_case_id: None,
            other_type: None,
            subject: None,
            other_customer: None,
            kept_customer: None,
            others_merged_into_it: false,
            authority: None,
            contractor: None,
            rounds: None,
            collection: None,
            located: None,
            possible_duplicates: Vec::new(),
            holder_of_case: None,
            subjects_kept: BTreeSet::new(),
            replaced: None,
            others_at_property: None,
            attachment_bytes: None,
            inspection_draw: None,
            person_erased: false,
            may_leave_decider_unrecorded: false,
        }
    }

    /// The customer whose stream it is.
    pub(crate) fn subject(&self) -> Result<CustomerId, Rejection> {
        let subject = self.subject.ok_or(Rejection::UnknownCustomer)?;
        Ok(CustomerId(subject.uuid()))
    }

    /// The actor, an officer whom the register vouches for.
    pub(crate) fn acting_officer(&self, circumstances: &Circumstances) -> Result<&Authority, Rejection> {
        let officer = circumstances.actor.as_officer().ok_or(Rejection::ActorNotAllowed)?;
        let authority = self.authority.as_ref().filter(|authority| authority.is_of(officer));
        authority.ok_or(Rejection::ActorNotRegistered)
    }

    /// The record of the customer concerned, and the one that is kept in its place.
    fn records(&self) -> impl Iterator<Item = &Customer> {
        let records = [&self.other_customer, &self.kept_customer];
        records.into_iter().flatten().map(AsRef::as_ref)
    }

    /// Whether the customer concerned died, as far as is recorded.
    pub(crate) fn customer_died(&self) -> bool {
        self.records().any(Customer::died)
    }

    /// Whether the actor may act in the case of this customer: the dead ask for nothing, and a representative does what they may.
    pub(crate) fn check_person(
        &self,
        circumstances: &Circumstances,
        customer: Option<CustomerId>,
        service: &ServiceName,
    ) -> Result<(), Rejection> {
        let actor = &circumstances.actor;
        if actor.kind == ActorKind::Resident && self.customer_died() {
            return Err(Rejection::CustomerDied);
        }
        // Who is not known by id is whom the client says; who is, acts in their own matters.
        let own = [customer, self.other_customer.as_deref().and_then(Customer::merged_into)];
        let another = actor
            .as_person()
            .filter(|person| customer.is_some() && !own.contains(&Some(*person)));
        if actor.kind == ActorKind::Resident && another.is_some() {
            return Err(Rejection::NotTheirs);
        }
        if actor.kind != ActorKind::Representative {
            return Ok(());
        }
        if customer.is_none() || circumstances.on_behalf_of != customer {
            return Err(Rejection::OnBehalfOfAnother);
        }
        let today = london::day_of(self.now.get());
        let may_act = |representative| {
            self.records()
                .any(|record| record.is_represented_by(representative, Some(service), today))
        };
        if actor.as_person().is_some_and(may_act) {
            Ok(())
        } else {
            Err(Rejection::NotTheirRepresentative)
        }
    }

    /// The day that clocks start from.
    pub(crate) fn received_on(&self, circumstances: &Circumstances) -> Day {
        circumstances
            .received_on
            .unwrap_or_else(|| london::day_of(self.occurred_at(circumstances).get()))
    }

    /// When what the command speaks of happened.
    pub(crate) fn occurred_at(&self, circumstances: &Circumstances) -> Instant {
        circumstances.occurred_at.unwrap_or(self.now)
    }

    /// Nothing lies in the future, and nothing happened to a stream before it began.
    pub(crate) fn check_times(&self, circumstances: &Circumstances, timeline: &Timeline) -> Result<(), Rejection> {
        let occurred_at = self.occurred_at(circumstances);
        if occurred_at > self.now {
            return Err(Rejection::OccurredInTheFuture);
        }
        if timeline.began_at.is_some_and(|began_at| occurred_at < began_at) {
            return Err(Rejection::OccurredBeforeTheFirst);
        }
        if circumstances
            .received_on
            .is_some_and(|day| day > london::day_of(self.now.get()))
        {
            return Err(Rejection::ReceivedInTheFuture);
        }
        Ok(())
    }
}
