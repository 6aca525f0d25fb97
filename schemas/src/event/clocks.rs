//! The clocks of a case as its events tell them, taken together: who reads events one after another need not know any rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::CaseEvent;
use crate::clock::{ClockStanding, Due};
use crate::command::ClockMark;
use crate::ids::QuestionId;
use crate::moment::{Day, Instant};

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
    /// Whether it runs.
    pub runs: bool,
    /// When it ended, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Instant>,
    /// The day on which it ended, where an event says so: what was done on one day can be recorded on a later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Day>,
}

impl Clock {
    fn end(&mut self, at: Option<Instant>, on: Option<Day>) {
        if self.runs {
            (self.runs, self.ended_at, self.ended_on) = (false, at, on);
        }
    }
}

/// The clocks of a case, by name. A remedy's is `remedy_` and its number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    by_name: BTreeMap<QuestionId, Clock>,
    /// As they were before each reopening, the last one last: they come back where it is struck out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before_reopening: Vec<BTreeMap<QuestionId, Clock>>,
}

impl Clocks {
    /// What the clocks that run on after their case was closed begin with: those of remedies.
    pub const OUTLIVING: &'static str = "remedy_";

    /// Whether a clock runs on after its case was closed.
    #[must_use]
    pub fn outlive_the_case(clock: &QuestionId) -> bool {
        clock.as_str().starts_with(Self::OUTLIVING)
    }

    /// All of them, by name: those that run, and those that ended since the case was opened last.
    pub fn iter(&self) -> impl Iterator<Item = (&QuestionId, &Clock)> {
        self.by_name.iter()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, clock: &QuestionId) -> Option<&Clock> {
        self.by_name.get(clock)
    }

    /// Takes in an event, which happened at `at`.
    pub fn apply(&mut self, event: &CaseEvent, at: Option<Instant>) {
        match event {
            CaseEvent::RequestReopened(event) => {
                // They run anew: what they came to before stays in the history.
                self.before_reopening.push(self.by_name.clone());
                self.by_name.retain(|_, clock| clock.runs);
                self.stand(&event.clocks, at, None);
            }
            CaseEvent::RequestAcknowledged(event) => self.stand(&event.clocks, at, Some(event.acknowledged_on)),
            CaseEvent::RemedyDone(event) => self.stand(&event.clocks, at, Some(event.done_on)),
            CaseEvent::JobReportedDone(event) => self.stand(&event.clocks, at, Some(event.done_on)),
            CaseEvent::TypeChanged(event) => {
                self.by_name.clear();
                self.stand(&event.clocks, at, None);
            }
            CaseEvent::EntryCorrected(event) => {
                if event.entry_event == "RequestReopened"
                    && let Some(before) = self.before_reopening.pop()
                {
                    self.by_name = before;
                }
                self.stand(&event.clocks, event.standing.ended_at.or(at), None);
            }
            CaseEvent::ClockApproaching(event) => self.say(&event.clock, ClockMark::Approaching),
            CaseEvent::ClockOverdue(event) => self.say(&event.clock, ClockMark::Overdue),
            CaseEvent::RequestClosed(_) | CaseEvent::RequestCancelled(_) => {
                for (name, clock) in &mut self.by_name {
                    if !Self::outlive_the_case(name) {
                        clock.end(at, None);
                    }
                }
            }
            other => {
                if let Some(running) = other.clocks() {
                    self.stand(running, at, None);
                }
            }
        }
    }

    /// These run from now on; the others have ended, on a day where the event says which.
    fn stand(&mut self, running: &[ClockStanding], at: Option<Instant>, on: Option<Day>) {
        for (name, clock) in &mut self.by_name {
            if running.iter().all(|standing| standing.clock != *name) {
                clock.end(at, on);
            }
        }
        for standing in running {
            let said = match self.by_name.get(&standing.clock) {
                Some(clock) if clock.due == standing.due => clock.said.clone(),
                _ => Vec::new(),
            };
            let clock = Clock {
                target: standing.target,
                due: standing.due,
                near_on: standing.near_on,
                said,
                runs: true,
                ended_at: None,
                ended_on: None,
            };
            self.by_name.insert(standing.clock.clone(), clock);
        }
    }

    fn say(&mut self, clock: &QuestionId, mark: ClockMark) {
        if let Some(clock) = self.by_name.get_mut(clock) {
            clock.said.push(mark);
        }
    }

    /// How those that run stand, as an event tells it.
    #[must_use]
    pub fn running(&self) -> Vec<ClockStanding> {
        let running = self.by_name.iter().filter(|(_, clock)| clock.runs);
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

impl CaseEvent {
    /// The names of the events after which other clocks run: those that list them, and those that end the case.
    pub const MOVING_CLOCKS: &'static [&'static str] = &[
        "RequestSubmitted",
        "RequestReopened",
        "RequestClosed",
        "RequestCancelled",
        "InformationAskedFor",
        "InformationProvided",
        "RequestAcknowledged",
        "TimeExtended",
        "DeadlineSet",
        "RemedyAgreed",
        "RemedyDone",
        "TypeChanged",
        "EntryCorrected",
        "JobRaised",
        "JobCancelled",
        "JobReopened",
        "JobRejected",
        "JobReportedDone",
        "JobReportedFailed",
        "AppointmentBooked",
        "AppointmentMoved",
        "ClocksRecomputed",
    ];

    /// The clocks that run after it, all of them; `None` where the event lists none. Of those, closing and cancelling end all
    /// but the ones that [outlive the case](Clocks::outlive_the_case); the others leave the clocks as they are.
    #[must_use]
    pub fn clocks(&self) -> Option<&[ClockStanding]> {
        Some(match self {
            Self::RequestSubmitted(event) => &event.clocks,
            Self::RequestReopened(event) => &event.clocks,
            Self::InformationAskedFor(event) => &event.clocks,
            Self::InformationProvided(event) => &event.clocks,
            Self::RequestAcknowledged(event) => &event.clocks,
            Self::TimeExtended(event) => &event.clocks,
            Self::DeadlineSet(event) => &event.clocks,
            Self::RemedyAgreed(event) => &event.clocks,
            Self::RemedyDone(event) => &event.clocks,
            Self::TypeChanged(event) => &event.clocks,
            Self::EntryCorrected(event) => &event.clocks,
            Self::JobRaised(event) => &event.clocks,
            Self::JobCancelled(event) => &event.clocks,
            Self::JobReopened(event) => &event.clocks,
            Self::JobRejected(event) => &event.clocks,
            Self::JobReportedDone(event) => &event.clocks,
            Self::JobReportedFailed(event) => &event.clocks,
            Self::AppointmentBooked(event) => &event.clocks,
            Self::AppointmentMoved(event) => &event.clocks,
            Self::ClocksRecomputed(event) => &event.clocks,
            _ => return None,
        })
    }
}
