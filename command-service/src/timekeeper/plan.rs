//! What events come to for the timetable.

use std::collections::BTreeMap;

use catalogue::london;
use event_store::{ClockingEvent, DueItem, TimetableChange};
use schemas::clock::{ClockStanding, Due};
use schemas::command::{ClockMark, TermMark};
use schemas::event::{CaseEvent, Clocks, EntitlementEvent};
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

/// What the term of an entitlement is called among the clocks of cases: no clock's name has a space.
pub(super) const TERM: &str = "entitlement term";

/// What the time is called for which a place is held that is not paid yet.
pub(super) const HOLD: &str = "booking held";

/// The names of the events that say something of clocks or terms.
pub(super) fn moving_events() -> Vec<&'static str> {
    [CaseEvent::MOVING_CLOCKS, EntitlementEvent::MOVING_TERMS].concat()
}

/// What these events, in order, come to.
pub(super) fn change(events: &[ClockingEvent]) -> Result<TimetableChange, TimekeeperError> {
    let mut plans: BTreeMap<AggregateId, Plan> = BTreeMap::new();
    let mut terms: BTreeMap<AggregateId, Vec<DueItem>> = BTreeMap::new();
    let mut holds = Vec::new();
    for event in events {
        if EntitlementEvent::MOVING_TERMS.contains(&event.event_type.as_str()) {
            terms.insert(event.aggregate_id, term(event)?);
            continue;
        }
        let record = CaseEvent::read(&event.event_type, &event.event_version, &event.payload);
        let record = record.map_err(|source| TimekeeperError::Event {
            position: event.position,
            source,
        })?;
        holds.extend(hold(event, &record));
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
    for (stream, items) in terms {
        change.cleared.push(stream);
        change.items.extend(items);
    }
    change.items.extend(holds);
    Ok(change)
}

/// When a place that is not paid is to be given back. Whether it still matters then, the case says.
fn hold(event: &ClockingEvent, record: &CaseEvent) -> Option<DueItem> {
    let pay_by = match record {
        CaseEvent::AppointmentBooked(booked) => booked.pay_by,
        CaseEvent::AppointmentMoved(moved) => moved.pay_by,
        _ => None,
    }?;
    Some(DueItem {
        stream: event.aggregate_id,
        clock: HOLD.to_owned(),
        mark: "not_paid".to_owned(),
        due: pay_by.to_string(),
        listed_at: event.position,
        at: Some(pay_by.get()),
    })
}

/// What is to be said of an entitlement's term after an event: nothing once it has ended.
fn term(event: &ClockingEvent) -> Result<Vec<DueItem>, TimekeeperError> {
    let record = EntitlementEvent::read(&event.event_type, &event.event_version, &event.payload);
    let record = record.map_err(|source| TimekeeperError::Event {
        position: event.position,
        source,
    })?;
    let (renew_from, ends_on) = match record {
        EntitlementEvent::EntitlementGranted(granted) => (granted.renew_from, granted.ends_on),
        EntitlementEvent::EntitlementRenewed(renewed) => (renewed.renew_from, renewed.ends_on),
        _ => return Ok(Vec::new()),
    };
    let item = |mark: TermMark, day: Option<Day>| DueItem {
        stream: event.aggregate_id,
        clock: TERM.to_owned(),
        mark: mark.as_str().to_owned(),
        due: ends_on.to_string(),
        listed_at: event.position,
        at: day.map(london::beginning_of),
    };
    Ok(vec![
        item(TermMark::RenewalDue, Some(renew_from)),
        item(TermMark::Expired, ends_on.0.next_day().map(Day)),
    ])
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
