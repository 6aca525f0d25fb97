//! The rules. Pure: no I/O, no clock, no random numbers; what a decision needs beside the stream comes in a
//! [`DecisionContext`].
//!
//! An aggregate is folded from its events and asked to [`decide`] on a command: it answers with new events, with none where
//! nothing has to change, or with a [`Rejection`] that has a stable code. Personal values pass through sealed; the state keeps
//! none.
//!
//! [`Case`] and [`Customer`] implement [`cqrs_es::Aggregate`] too, as a thin shell around the same functions. A payload
//! doesn't say when it happened (the log does, in `occurred_at`), and cqrs-es hands payloads alone to `apply`; so there a
//! [`CommandInContext`] brings the [`Timeline`].

mod case;
pub mod clock;
mod context;
mod customer;
mod entitlement;
mod rejection;
mod round;

use schemas::command::{AggregateKind, Command};
use schemas::event::{CustomerEvent, EventRecord};
use schemas::moment::Instant;
use serde::{Deserialize, Serialize};

pub use case::{Case, Opened, in_time};
pub use context::{Authority, CommandInContext, DecisionContext, Submission, Timeline, decider_of, named_officer};
pub use customer::Customer;
pub use entitlement::{Entitlement, Held};
pub use rejection::Rejection;
pub use round::{CollectionException, Round};

/// An aggregate of whichever kind, folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateState {
    /// A customer.
    Customer(Customer),
    /// A case.
    Case(Case),
    /// A round.
    Round(Round),
    /// An entitlement.
    Entitlement(Entitlement),
}

impl AggregateState {
    /// The state before a stream's first event.
    #[must_use]
    pub fn before(first: &EventRecord) -> Self {
        match first {
            EventRecord::Customer(_) => Self::of_kind(AggregateKind::Customer),
            EventRecord::Case(_) => Self::of_kind(AggregateKind::Case),
            EventRecord::Round(_) => Self::of_kind(AggregateKind::Round),
            EventRecord::Entitlement(_) => Self::of_kind(AggregateKind::Entitlement),
        }
    }

    fn of_kind(kind: AggregateKind) -> Self {
        match kind {
            AggregateKind::Customer => Self::Customer(Customer::default()),
            AggregateKind::Case => Self::Case(Case::default()),
            AggregateKind::Round => Self::Round(Round::default()),
            AggregateKind::Entitlement => Self::Entitlement(Entitlement::default()),
        }
    }

    /// The case that it is, where it is one.
    #[must_use]
    pub const fn as_case(&self) -> Option<&Case> {
        match self {
            Self::Case(case) => Some(case),
            Self::Customer(_) | Self::Round(_) | Self::Entitlement(_) => None,
        }
    }

    /// The entitlement that it is, where it is one.
    #[must_use]
    pub const fn as_entitlement(&self) -> Option<&Entitlement> {
        match self {
            Self::Entitlement(entitlement) => Some(entitlement),
            Self::Customer(_) | Self::Case(_) | Self::Round(_) => None,
        }
    }

    /// The kind of stream.
    #[must_use]
    pub const fn kind(&self) -> AggregateKind {
        match self {
            Self::Customer(_) => AggregateKind::Customer,
            Self::Case(_) => AggregateKind::Case,
            Self::Round(_) => AggregateKind::Round,
            Self::Entitlement(_) => AggregateKind::Entitlement,
        }
    }

    /// The last of the stream's times that rules compare with. A clock that is behind it is slow: what happens now happens no
    /// earlier.
    #[must_use]
    pub fn latest(&self) -> Option<Instant> {
        match self {
            Self::Customer(customer) => customer.latest(),
            Self::Case(case) => case.latest(),
            Self::Round(round) => round.latest(),
            Self::Entitlement(entitlement) => entitlement.latest(),
        }
    }

    /// Takes in the stream's next event, which happened at `occurred_at`. An event of another kind changes nothing: the log
    /// keeps kinds apart.
    pub fn apply(&mut self, event: EventRecord, occurred_at: Instant) {
        match (self, event) {
            (Self::Customer(customer), EventRecord::Customer(event)) => customer.apply_at(&event, occurred_at),
            (Self::Case(case), EventRecord::Case(event)) => case.apply_at(&event, occurred_at),
            (Self::Round(round), EventRecord::Round(event)) => round.apply_at(&event, occurred_at),
            (Self::Entitlement(entitlement), EventRecord::Entitlement(event)) => {
                entitlement.apply_at(&event, occurred_at);
            }
            _ => {}
        }
    }
}

/// Decides a command, whose personal values are sealed, on a stream: `None` where there is no such stream yet.
///
/// The events happened at the command's `occurred_at`, or now; none where nothing has to change.
///
/// # Errors
/// [`Rejection`]: the rules don't allow it as things stand.
pub fn decide(
    state: Option<&AggregateState>,
    command: &Command,
    context: &DecisionContext,
) -> Result<Vec<EventRecord>, Rejection> {
    let new;
    let state = match state {
        Some(state) => state,
        None => {
            new = AggregateState::of_kind(command.body.aggregate());
            &new
        }
    };
    match (state, command.body.aggregate()) {
        (AggregateState::Customer(customer), AggregateKind::Customer) => customer
            .decide(command, context)
            .map(|events: Vec<CustomerEvent>| events.into_iter().map(EventRecord::Customer).collect()),
        (AggregateState::Case(case), AggregateKind::Case) => case
            .decide(command, context)
            .map(|events| events.into_iter().map(EventRecord::Case).collect()),
        (AggregateState::Round(round), AggregateKind::Round) => round
            .decide(command, context)
            .map(|events| events.into_iter().map(EventRecord::Round).collect()),
        (AggregateState::Entitlement(entitlement), AggregateKind::Entitlement) => entitlement
            .decide(command, context)
            .map(|events| events.into_iter().map(EventRecord::Entitlement).collect()),
        (_, AggregateKind::Customer) => Err(Rejection::UnknownCustomer),
        (_, AggregateKind::Entitlement) => Err(Rejection::UnknownEntitlement),
        (_, AggregateKind::Case | AggregateKind::Round) => Err(Rejection::UnknownCase),
    }
}
