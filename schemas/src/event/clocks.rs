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
    pub ended_at: Option<Instant>,
}

impl Clock {
    fn end(&mut self, at: Option<Instant>) {
        if self.runs {
            (self.runs, self.ended_at) = (false, at);
        }
    }
}

/// The clocks of a case, by name. A remedy's is `remedy_` and its number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clocks(BTreeMap<QuestionId, Clock>);

impl Clocks {
    /// All of them, by name: those that run, and those that ended since the case was opened last.
    pub fn iter(&self) -> impl Iterator<Item = (&QuestionId, &Clock)> {
        self.0.iter()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, clock: &QuestionId) -> Option<&Clock> {
        self.0.get(clock)
    }

    /// Takes in an event, which happened at `at`.
    pub fn apply(&mut self, event: &CaseEvent, at: Option<Instant>) {
        match event {
            CaseEvent::RequestSubmitted(event) => self.stand(&event.clocks, at),
            CaseEvent::RequestReopened(event) => {
                // They run anew: what they came to before stays in the history.
                self.0.retain(|_, clock| clock.runs);
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
                    if clock.runs && !is_remedy(name) {
                        clock.end(at);
                    }
                }
            }
            _ => {}
        }
    }

    /// These run from now on; the others have ended.
    fn stand(&mut self, running: &[ClockStanding], at: Option<Instant>) {
        for (name, clock) in &mut self.0 {
            if clock.runs && running.iter().all(|standing| standing.clock != *name) {
                clock.end(at);
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
                runs: true,
                ended_at: None,
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
    #[must_use]
    pub fn running(&self) -> Vec<ClockStanding> {
        let running = self.0.iter().filter(|(_, clock)| clock.runs);
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
