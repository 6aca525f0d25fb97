//! What decided events come to beside themselves: owners of keys, the service, the reference, the stream after them.

use std::sync::Arc;

use catalogue::{RequestType, Rounds};
use domain::AggregateState;
use schemas::command::Command;
use schemas::event::{CaseEvent, CustomerEvent, EntitlementEvent, EventRecord};
use schemas::sealed::KeyMove;
use schemas::{AggregateId, CustomerId, Reference, ServiceName, Version};

use crate::cache::Snapshot;

/// The keys that somebody else owns after these events.
pub(super) fn key_moves(lane: AggregateId, events: &[EventRecord]) -> Vec<KeyMove> {
    let moved = events.iter().filter_map(|event| match event {
        EventRecord::Case(CaseEvent::CaseMoved(moved)) => Some(KeyMove {
            from: moved.previous_customer_id,
            to: moved.customer_id,
            stream: Some(lane),
            person: None,
        }),
        EventRecord::Customer(CustomerEvent::CustomerMerged(merged)) => Some(KeyMove {
            from: Some(CustomerId(lane.uuid())),
            to: merged.into,
            stream: None,
            person: None,
        }),
        EventRecord::Customer(CustomerEvent::CustomerParted(parted)) => Some(KeyMove {
            from: Some(parted.from),
            to: CustomerId(lane.uuid()),
            stream: None,
            person: Some(CustomerId(lane.uuid())),
        }),
        _ => None,
    });
    moved.collect()
}

/// The service of a stream that says so itself: of a case or an entitlement.
pub fn service_of_stream(stream: Option<&Snapshot>) -> Option<ServiceName> {
    match stream?.state.as_ref() {
        AggregateState::Case(case) => case.opened().map(|opened| opened.service.clone()),
        AggregateState::Entitlement(entitlement) => entitlement.held().map(|held| held.service.clone()),
        AggregateState::Customer(_) | AggregateState::Round(_) => None,
    }
}

/// The service that the events belong to; the events of customers are customer services'.
pub(super) fn service_of(
    events: &[EventRecord],
    stream: Option<&Snapshot>,
    request_type: Option<&RequestType>,
    rounds: Option<&Rounds>,
) -> ServiceName {
    let of_stream = service_of_stream(stream);
    let of_type = || {
        request_type
            .filter(|_| !events.is_empty())
            .map(|request_type| request_type.service.clone())
    };
    let of_grant = || {
        events.iter().find_map(|event| match event {
            EventRecord::Entitlement(EntitlementEvent::EntitlementGranted(granted)) => Some(granted.service.clone()),
            _ => None,
        })
    };
    let of_rounds = events
        .iter()
        .find(|event| matches!(event, EventRecord::Round(_)))
        .and(rounds);
    of_stream
        .or_else(of_grant)
        .or_else(of_type)
        .or_else(|| of_rounds.map(|rounds| rounds.service.clone()))
        .unwrap_or_else(ServiceName::customer_services)
}

pub(super) fn reference_of(state: &AggregateState) -> Option<Reference> {
    match state {
        AggregateState::Case(case) => case.opened().map(|opened| opened.reference.clone()),
        AggregateState::Customer(_) | AggregateState::Round(_) | AggregateState::Entitlement(_) => None,
    }
}

pub(super) fn after(
    stream: Option<&Snapshot>,
    version: Version,
    events: Vec<EventRecord>,
    command: &Command,
) -> Option<Snapshot> {
    let first = events.first()?;
    let mut state = stream.map_or_else(|| AggregateState::before(first), |stream| stream.state.as_ref().clone());
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let at = command.circumstances.occurred_at?;
    for event in events {
        state.apply(event, at);
    }
    Some(Snapshot {
        state: Arc::new(state),
        version: Version(version.0 + count),
    })
}
