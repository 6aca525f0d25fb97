//! What events come to for the timetable.

use std::collections::BTreeMap;

use catalogue::london;
use event_store::{ClockingEvent, DueItem, TimetableChange};
use schemas::clock::{ClockStanding, Due};
use schemas::command::ClockMark;
use schemas::event::{CaseEvent, Clocks};
use schemas::moment::Day;
use schemas::{AggregateId, Position};
use time::OffsetDateTime;

use super::TimekeeperError;

/// What a stream's events come to.
#[derive(Default)]
struct Plan {
    /// The event that says what runs.
    listed_at: Position,
    /// Whether what stood before counts no more.
    anew: bool,
    /// Whether the case has ended since.
    ended: bool,
    clocks: Vec<ClockStanding>,
}

/// What these events, in order, come to.
pub(super) fn change(events: &[ClockingEvent]) -> Result<TimetableChange, TimekeeperError> {
    let mut plans: BTreeMap<AggregateId, Plan> = BTreeMap::new();
    for event in events {
        let record = CaseEvent::read(&event.event_type, &event.event_version, &event.payload);
        let record = record.map_err(|source| TimekeeperError::Event {
            position: event.position,
            source,
        })?;
        let plan = plans.entry(event.aggregate_id).or_default();
        match record.clocks() {
            Some(clocks) => {
                *plan = Plan {
                    listed_at: event.position,
                    anew: true,
                    ended: false,
                    clocks: clocks.to_vec(),
                };
            }
            None => {
                plan.ended = true;
                plan.clocks.retain(|standing| Clocks::outlive_the_case(&standing.clock));
            }
        }
    }
    let mut change = TimetableChange {
        outliving: Clocks::OUTLIVING,
        ..TimetableChange::default()
    };
    for (stream, plan) in plans {
        match (plan.anew, plan.ended) {
            (true, _) => change.cleared.push(stream),
            (false, true) => change.ended.push(stream),
            (false, false) => {}
        }
        change.items.extend(
            plan.clocks
                .iter()
                .flat_map(|standing| items(stream, plan.listed_at, standing)),
        );
    }
    Ok(change)
}

/// What is to be said of a clock. One that waits keeps its place, so that it is worked out anew when the calendar is.
fn items(stream: AggregateId, listed_at: Position, standing: &ClockStanding) -> Vec<DueItem> {
    let item = |mark: ClockMark, at: Option<OffsetDateTime>| DueItem {
        stream,
        clock: standing.clock.to_string(),
        mark: mark.as_str().to_owned(),
        due: standing.due.to_string(),
        listed_at,
        at,
    };
    let over = match standing.due {
        Due::On(day) => day.0.next_day().map(|next| london::beginning_of(Day(next))),
        Due::At(at) => Some(at.get() + time::Duration::MICROSECOND),
        Due::Suspended | Due::Unknown | Due::Lapsed | Due::NotApplicable => None,
    };
    let mut items = vec![item(ClockMark::Overdue, over)];
    if let Some(near) = standing.near_on {
        items.push(item(ClockMark::Approaching, Some(london::beginning_of(near))));
    }
    items
}
