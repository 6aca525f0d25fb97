//! The clocks that a case carries. Each event that moves them says how they stand from then on; here they are worked out for it.

use catalogue::clocks::ClockFiles;
use catalogue::{RequestType, london};
use schemas::QuestionId;
use schemas::clock::{ClockStanding, Due};
use schemas::command::ClockMark;
use schemas::event::Clock;
use schemas::moment::{Day, Instant};

use super::standing::{Standing, Status};
use crate::clock;

/// Whether a clock ended in time; none while it runs, and where there is no day.
#[must_use]
pub fn in_time(clock: &Clock) -> Option<bool> {
    let ended_at = clock.ended_at?;
    let ended_on = clock.ended_on.unwrap_or_else(|| london::day_of(ended_at.get()));
    match clock.due {
        Due::On(day) => Some(ended_on <= day),
        Due::At(at) => Some(ended_at <= at),
        Due::Suspended | Due::Lapsed | Due::NotApplicable | Due::Unknown => None,
    }
}

/// Whether a clock's day, or from when on that is near, has come.
pub(super) fn has_come_to(clock: &Clock, mark: ClockMark, now: Instant) -> bool {
    let today = london::day_of(now.get());
    match (mark, clock.due) {
        (ClockMark::Overdue, Due::On(day)) => today > day,
        (ClockMark::Overdue, Due::At(at)) => now > at,
        (ClockMark::Approaching, Due::On(_) | Due::At(_)) => clock.near_on.is_some_and(|near| today >= near),
        _ => false,
    }
}

/// The clocks that run on a case that stands like this, in the order of their names.
pub(super) fn worked_out(files: &ClockFiles, request_type: &RequestType, standing: &Standing) -> Vec<ClockStanding> {
    let near = |due: Due, started: Day| near_on(files, due, started);
    let mut clocks = Vec::new();
    if standing.status == Status::Open {
        for clock in clock::of_case(files, request_type, standing) {
            // What can't be worked out yet must not keep a request from being taken.
            let due = clock.answer.map_or(Due::Unknown, |answer| answer.due);
            clocks.push(ClockStanding {
                clock: clock.name,
                target: clock.target,
                due,
                near_on: near(due, clock.started),
            });
        }
    }
    let set_day = standing.set_day.filter(|_| standing.status == Status::Open);
    if let (Some(day), Ok(clock)) = (set_day, QuestionId::new("set_day")) {
        let due = Due::On(day);
        clocks.push(ClockStanding {
            clock,
            target: false,
            due,
            near_on: near(due, standing.started.0),
        });
    }
    for (place, (due_on, done)) in standing.remedies.iter().enumerate() {
        if let (false, Ok(clock)) = (done, QuestionId::new(format!("remedy_{}", place + 1))) {
            let due = Due::On(*due_on);
            clocks.push(ClockStanding {
                clock,
                target: false,
                due,
                near_on: near(due, standing.started.0),
            });
        }
    }
    clocks.sort_by(|a, b| a.clock.cmp(&b.clock));
    clocks
}

/// The day from which on a due day is near.
fn near_on(files: &ClockFiles, due: Due, started: Day) -> Option<Day> {
    let Due::On(day) = due else { return None };
    let policy = files.policies.near.on(started)?.policy;
    let is_short = (day.0 - started.0).whole_days() <= i64::from(policy.short_days);
    let before = if is_short {
        policy.short_working_days
    } else {
        policy.working_days
    };
    let near = files.holidays.count_before(policy.calendar, day, before).ok()?;
    (near > started).then_some(near)
}

/// Of two answers to when a clock is due, the later: a day that was told does not come sooner because a calendar changed.
pub(super) fn no_sooner(told: Due, worked_out: Due) -> Due {
    match (told, worked_out) {
        (Due::On(told), Due::On(day)) => Due::On(day.max(told)),
        (Due::At(told), Due::At(at)) => Due::At(at.max(told)),
        (_, worked_out) => worked_out,
    }
}
