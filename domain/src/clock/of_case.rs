//! The clocks that run on a case, from what happened to it.
//!
//! They run from the day that the request was received on, and end with the day that the case is closed or cancelled. A reopened
//! case has them anew from the day of its reopening; what was there before stays in its history. Clocks that run from something
//! else (a birth, the issue of a badge, the notice of a marriage) are not a case's own.

use catalogue::clocks::TargetUnit;
use catalogue::{RequestType, london};
use schemas::command::InformationWanted;
use schemas::event::CaseEvent;
use schemas::moment::{Day, Instant};
use serde::Serialize;

use super::{Answer, ClockError, ClockEvent, ClockName, ClockRules, Due, Happening, When, due};

/// One clock of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseClock {
    /// The statutory clock's name, or the target's id.
    pub clock: String,
    /// Whether it is the council's own target, behind which no law stands.
    pub is_target: bool,
    /// By when, and why.
    #[serde(flatten)]
    pub answer: Answer,
    /// When the case was closed or cancelled; none while the clock runs.
    pub ended_on: Option<Day>,
}

impl CaseClock {
    /// Whether it ended in time; none while it runs, and where there is no day.
    #[must_use]
    pub fn in_time(&self) -> Option<bool> {
        let ended_on = self.ended_on?;
        match self.answer.due {
            Due::On(day) => Some(ended_on <= day),
            Due::At(at) => Some(ended_on <= london::day_of(at.get())),
            Due::Suspended | Due::Lapsed | Due::NotApplicable => None,
        }
    }
}

/// What moves the clocks of a case, so far.
struct Moved {
    started: When,
    asked: Vec<(InformationWanted, Day, bool)>,
    ended_on: Option<Day>,
}

impl Moved {
    fn since(started: When) -> Self {
        Self {
            started,
            asked: Vec::new(),
            ended_on: None,
        }
    }

    fn events_of(&self, clock: ClockName) -> Vec<ClockEvent> {
        let happened = self.asked.iter().filter_map(|(wanted, on, is_answer)| {
            Some(ClockEvent {
                on: Some((*on).into()),
                what: happening(clock, *wanted, *is_answer)?,
            })
        });
        happened.collect()
    }
}

/// What a question or its answer is to a clock.
fn happening(clock: ClockName, wanted: InformationWanted, is_answer: bool) -> Option<Happening> {
    let (asked, answered) = match (clock, wanted) {
        (ClockName::Foi | ClockName::Eir | ClockName::Sar, InformationWanted::Clarification) => {
            (Happening::ClarificationRequested, Happening::ClarificationReceived)
        }
        (ClockName::Sar, InformationWanted::Identity) => (Happening::IdRequested, Happening::IdReceived),
        (ClockName::BlueBadge, _) => (Happening::EvidenceRequested, Happening::EvidenceReceived),
        _ => return None,
    };
    Some(if is_answer { answered } else { asked })
}

/// The clocks of a case: those of its type that run from its receipt, and the council's targets that were in force then. The
/// events are the case's, in order, each with when it happened.
///
/// # Errors
/// [`ClockError`]: as a rule, that the bank holidays of a year are not known.
pub fn of_case<'e>(
    rules: ClockRules<'_>,
    request_type: &RequestType,
    events: impl IntoIterator<Item = (&'e CaseEvent, Instant)>,
) -> Result<Vec<CaseClock>, ClockError> {
    let mut moved: Option<Moved> = None;
    for (event, at) in events {
        let on = london::day_of(at.get());
        match (event, &mut moved) {
            (CaseEvent::RequestSubmitted(submitted), _) => {
                moved = Some(Moved::since(starting(submitted.received_on, at)));
            }
            (CaseEvent::RequestReopened(reopened), moved) => {
                *moved = Some(Moved::since(starting(reopened.received_on, at)));
            }
            (CaseEvent::InformationAskedFor(asked), Some(moved)) => {
                moved.asked.push((asked.wanted, asked.asked_on, false));
            }
            (CaseEvent::InformationProvided(provided), Some(moved)) => {
                moved.asked.push((provided.wanted, provided.received_on, true));
            }
            (CaseEvent::RequestClosed(_) | CaseEvent::RequestCancelled(_), Some(moved)) => moved.ended_on = Some(on),
            _ => {}
        }
    }
    let Some(moved) = moved else { return Ok(Vec::new()) };
    let mut clocks = Vec::new();
    for clock in request_type
        .clocks
        .iter()
        .copied()
        .filter(|clock| runs_from_receipt(*clock))
    {
        clocks.push(CaseClock {
            clock: clock.to_string(),
            is_target: false,
            answer: due(rules, clock, moved.started, &moved.events_of(clock))?,
            ended_on: moved.ended_on,
        });
    }
    let mut ids: Vec<_> = request_type.targets.iter().map(|target| &target.id).collect();
    ids.dedup();
    for target in ids
        .into_iter()
        .filter_map(|id| request_type.target_on(id, moved.started.day))
    {
        let (unit, amount): (TargetUnit, u32) = (target.unit, target.amount);
        let policy = ClockEvent {
            on: None,
            what: Happening::Policy { unit, amount },
        };
        clocks.push(CaseClock {
            clock: target.id.to_string(),
            is_target: true,
            answer: due(rules, ClockName::ServiceTarget, moved.started, &[policy])?,
            ended_on: moved.ended_on,
        });
    }
    Ok(clocks)
}

/// The day that clocks start from; with the instant, where it is of that day.
fn starting(received_on: Day, at: Instant) -> When {
    let when = When::from(at);
    if when.day == received_on {
        when
    } else {
        received_on.into()
    }
}

const fn runs_from_receipt(clock: ClockName) -> bool {
    !matches!(
        clock,
        ClockName::BlueBadgeExpiry
            | ClockName::Birth
            | ClockName::Death
            | ClockName::MarriageNotice
            | ClockName::ServiceTarget
    )
}
