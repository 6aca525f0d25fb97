//! The clocks that a case carries. Each event that moves them says how they stand from then on; here they are worked out for it.

use std::collections::BTreeMap;

use catalogue::clocks::ClockFiles;
use catalogue::{RequestType, london};
use schemas::QuestionId;
use schemas::clock::{ClockStanding, Due};
use schemas::command::ClockMark;
use schemas::event::CaseEvent;
use schemas::moment::{Day, Instant};
use serde::{Deserialize, Serialize};

use super::standing::{Standing, Status};
use crate::clock;

/// One clock, as the case's events tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Whether it is the council's own target, behind which no law stands.
    pub target: bool,
    /// By when.
    pub due: Due,
    /// The day from which on it is near.
    pub near_on: Option<Day>,
    /// What was said of this day so far.
    pub said: Vec<ClockMark>,
    /// That it no longer runs, and when it ended, as far as that is known.
    pub ended: Option<Option<Instant>>,
}

impl Clock {
    /// Whether it runs.
    #[must_use]
    pub const fn runs(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether it ended in time; none while it runs, and where there is no day.
    #[must_use]
    pub fn in_time(&self) -> Option<bool> {
        let ended_at = self.ended??;
        match self.due {
            Due::On(day) => Some(london::day_of(ended_at.get()) <= day),
            Due::At(at) => Some(ended_at <= at),
            Due::Suspended | Due::Lapsed | Due::NotApplicable | Due::Unknown => None,
        }
    }

    /// Whether its day, or from when on that is near, has come.
    pub(super) fn has_come_to(&self, mark: ClockMark, now: Instant) -> bool {
        let today = london::day_of(now.get());
        match (mark, self.due) {
            (ClockMark::Overdue, Due::On(day)) => today > day,
            (ClockMark::Overdue, Due::At(at)) => now > at,
            (ClockMark::Approaching, Due::On(_) | Due::At(_)) => self.near_on.is_some_and(|near| today >= near),
            _ => false,
        }
    }
}

/// The clocks of a case, by name. A remedy's is `remedy_` and its number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Clocks(BTreeMap<QuestionId, Clock>);

impl Clocks {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&QuestionId, &Clock)> {
        self.0.iter()
    }

    pub(super) fn get(&self, clock: &QuestionId) -> Option<&Clock> {
        self.0.get(clock)
    }

    /// Takes in an event, which happened at `at`.
    pub(super) fn apply(&mut self, event: &CaseEvent, at: Option<Instant>) {
        match event {
            CaseEvent::RequestSubmitted(event) => self.stand(&event.clocks, at),
            CaseEvent::RequestReopened(event) => {
                // They run anew: what they came to before stays in the history.
                self.0.retain(|_, clock| clock.runs());
                self.stand(&event.clocks, at);
            }
            CaseEvent::InformationAskedFor(event) => self.stand(&event.clocks, at),
            CaseEvent::InformationProvided(event) => self.stand(&event.clocks, at),
            CaseEvent::RequestAcknowledged(event) => self.stand(&event.clocks, at),
            CaseEvent::TimeExtended(event) => self.stand(&event.clocks, at),
            CaseEvent::DeadlineSet(event) => self.stand(&event.clocks, at),
            CaseEvent::RemedyAgreed(event) => self.stand(&event.clocks, at),
            CaseEvent::RemedyDone(event) => self.stand(&event.clocks, at),
            CaseEvent::TypeChanged(event) => {
                self.0.clear();
                self.stand(&event.clocks, at);
            }
            CaseEvent::EntryCorrected(event) => self.stand(&event.clocks, event.standing.ended_at.or(at)),
            CaseEvent::ClocksRecomputed(event) => self.stand(&event.clocks, at),
            CaseEvent::ClockApproaching(event) => self.say(&event.clock, ClockMark::Approaching),
            CaseEvent::ClockOverdue(event) => self.say(&event.clock, ClockMark::Overdue),
            CaseEvent::RequestClosed(_) | CaseEvent::RequestCancelled(_) => {
                for (name, clock) in &mut self.0 {
                    if clock.runs() && !is_remedy(name) {
                        clock.ended = Some(at);
                    }
                }
            }
            _ => {}
        }
    }

    /// These run from now on; the others have ended.
    fn stand(&mut self, running: &[ClockStanding], at: Option<Instant>) {
        for (name, clock) in &mut self.0 {
            if clock.runs() && running.iter().all(|standing| standing.clock != *name) {
                clock.ended = Some(at);
            }
        }
        for standing in running {
            let said = match self.0.get(&standing.clock) {
                Some(clock) if clock.due == standing.due => clock.said.clone(),
                _ => Vec::new(),
            };
            let clock = Clock {
                target: standing.target,
                due: standing.due,
                near_on: standing.near_on,
                said,
                ended: None,
            };
            self.0.insert(standing.clock.clone(), clock);
        }
    }

    fn say(&mut self, clock: &QuestionId, mark: ClockMark) {
        if let Some(clock) = self.0.get_mut(clock) {
            clock.said.push(mark);
        }
    }

    /// How those that run stand, as an event tells it.
    pub(super) fn running(&self) -> Vec<ClockStanding> {
        let running = self.0.iter().filter(|(_, clock)| clock.runs());
        running
            .map(|(name, clock)| ClockStanding {
                clock: name.clone(),
                target: clock.target,
                due: clock.due,
                near_on: clock.near_on,
            })
            .collect()
    }
}

fn is_remedy(clock: &QuestionId) -> bool {
    clock.as_str().starts_with("remedy_")
}

/// The clocks that run on a case that stands like this, in the order of their names.
pub(super) fn worked_out(files: &ClockFiles, request_type: &RequestType, standing: &Standing) -> Vec<ClockStanding> {
    let near = |due: Due, started: Day| near_on(files, due, started);
    let mut clocks = Vec::new();
    if standing.status == Status::Open {
        let (started, _) = standing.started;
        for (name, target, answer) in clock::of_case(files, request_type, standing) {
            // What can't be worked out yet must not keep a request from being taken.
            let due = answer.map_or(Due::Unknown, |answer| answer.due);
            clocks.push(ClockStanding {
                clock: name,
                target,
                due,
                near_on: near(due, started),
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
