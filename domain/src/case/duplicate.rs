//! What may have been reported before: suggested, and left to an officer.

use schemas::event::{CaseEvent, DuplicatesSuggested};

use super::Submitted;
use crate::context::DecisionContext;

/// How many cases are suggested at once at most.
const MOST: usize = 5;

/// The events of a command that says where something is, and what was found there. What was suggested before, or is linked already, is
/// not suggested again.
pub(super) fn follow(
    before: Option<&Submitted>,
    mut events: Vec<CaseEvent>,
    context: &DecisionContext,
) -> Vec<CaseEvent> {
    let says_where = events.iter().any(|event| match event {
        CaseEvent::RequestSubmitted(event) => event.place.is_some(),
        CaseEvent::RequestUpdated(event) => event.place.is_some(),
        _ => false,
    });
    if !says_where {
        return events;
    }
    let is_known = |case_id| before.is_some_and(|before| before.knows_of(case_id));
    let found = context.possible_duplicates.iter();
    let cases: Vec<_> = found
        .filter(|found| !is_known(found.case_id))
        .take(MOST)
        .cloned()
        .collect();
    if !cases.is_empty() {
        events.push(DuplicatesSuggested { cases }.into());
    }
    events
}
