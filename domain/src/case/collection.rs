//! A collection that is reported missed, beside what its contractor had told of the round.

use schemas::command::RoundStatus;
use schemas::event::{CaseEvent, CollectionLookedUp, RequestAssigned};

use crate::context::DecisionContext;

/// Whether what was found speaks against a crew's going there again: the round is not finished yet, or the crew said why nothing was
/// collected. An officer looks at that.
pub(super) const fn speaks_against(found: &CollectionLookedUp) -> bool {
    let unfinished = matches!(found.status, Some(RoundStatus::NotStarted | RoundStatus::UnderWay));
    unfinished || found.exception.is_some()
}

/// The events of a submission, and what was found of the collection that it is about.
pub(super) fn follow(mut events: Vec<CaseEvent>, context: &DecisionContext) -> Vec<CaseEvent> {
    let (Some(found), Some(request_type)) = (&context.collection, &context.request_type) else {
        return events;
    };
    events.push(found.clone().into());
    let team = request_type
        .deciding_teams
        .first()
        .filter(|team| **team != request_type.delivery.team);
    if let (true, Some(team)) = (speaks_against(found), team) {
        let assigned = RequestAssigned {
            team: team.clone(),
            officer: None,
            reason: None,
        };
        events.push(assigned.into());
    }
    events
}
