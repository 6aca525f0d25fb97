//! Clocks: by when something has to be done, worked out from what happened and nothing else.
//!
//! [`due`] is one pure function of the policy data, the bank holidays, the day that the clock started on and what happened
//! since. It reads no clock: what is asked for and not there yet is [`Due::Suspended`], whatever day it is today. Events may
//! come in any order; those of one day keep theirs. It is worked out again from all of them whenever one is added, or the
//! holidays or the policy change.
//!
//! Days are London's; a due day runs to its midnight. Day 0, on which the clock starts, is never counted. A *reset* throws away
//! what was counted and begins again (clarification of a freedom of information request); a *pause* skips days and keeps the
//! rest (clarification of a subject access request); an *extension* makes the period longer, if its notice came in time.
//!
//! Where the law is silent or disputed, the council's house rules decide, each at its place: H1 complaints and targets use the
//! bank holidays of England and Wales; H3 who asks after the due day does not revive the clock; H4 forty working days where the
//! public interest is weighed; H5 to H7 how subject access rolls, pauses and is extended; H8 a provisional day for a complaint
//! that nobody has acknowledged; H9 blue badges neither pause nor roll; H10 registrars' days never roll; H11 a day whose bank
//! holidays are unknown is an error; H12 29 February; H13 London's days; H14 a request that arrives at a weekend keeps its day.

mod badge;
mod complaint;
mod event;
mod information;
mod months;
mod of_case;
mod registrars;
mod rights;
mod story;
mod target;

use catalogue::calendar::{BankHolidays, BeyondCalendar};
use catalogue::clocks::{ClockFiles, ClockPolicies, Dated, InForce};
pub use catalogue::clocks::{ClockKind, ClockName, TargetUnit};
use catalogue::london;
use schemas::moment::{Day, Instant};
use serde::{Deserialize, Deserializer, Serialize};

pub use event::{ClockEvent, GoodReason, Happening};
pub(crate) use months::{days_after, last_of_months_beginning_with};
pub(crate) use of_case::{can_be_extended, of_case};
pub use schemas::clock::Due;
use story::Story;

/// A day, and the instant where one was given: `2026-04-01` or `2026-04-01T09:30:00Z`, whose day is London's (H13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// The day in London.
    pub day: Day,
    /// The instant, where it is known.
    pub at: Option<Instant>,
}

impl From<Day> for When {
    fn from(day: Day) -> Self {
        Self { day, at: None }
    }
}

impl From<Instant> for When {
    fn from(at: Instant) -> Self {
        Self {
            day: london::day_of(at.get()),
            at: Some(at),
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let day = text.parse::<Day>().map(Self::from);
        let instant = || {
            text.parse::<Instant>()
                .or_else(|error| with_seconds(&text).ok_or(error)?.parse())
        };
        day.or_else(|_| instant().map(Self::from)).map_err(|_| {
            serde::de::Error::custom(
                "expected a day that exists, such as 2026-04-01, or an instant, such as 2026-04-01T09:30:00Z, of the years \
                 1800 to 2200",
            )
        })
    }
}

/// `2026-07-01T23:30Z` with the seconds that RFC 3339 wants and ISO 8601 leaves out.
fn with_seconds(text: &str) -> Option<String> {
    const TO_THE_MINUTE: usize = "2026-07-01T23:30".len();
    let (before, zone) = text.split_at_checked(TO_THE_MINUTE)?;
    zone.starts_with(['Z', 'z', '+', '-'])
        .then(|| format!("{before}:00{zone}"))
}

/// By when, and why, in sentences that the person who waits would understand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// By when.
    pub due: Due,
    /// Why.
    pub explanation: Vec<String>,
}

/// Why a clock can't be worked out. Events are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// An event has no day.
    #[error("events[{0}].on: the day on which it happened is missing")]
    NoDay(usize),
    /// An event says nothing to this clock.
    #[error("events[{index}].type: {event} says nothing to the clock {clock}")]
    Foreign {
        /// Which event.
        index: usize,
        /// Its type.
        event: &'static str,
        /// The clock.
        clock: ClockName,
    },
    /// An event comes before what started the clock.
    #[error("events[{index}].on: {day} is before the day that the clock started on, {start}")]
    BeforeStart {
        /// Which event.
        index: usize,
        /// Its day.
        day: Day,
        /// The clock's.
        start: Day,
    },
    /// A target without its number.
    #[error("events: a service_target needs an event of type policy, with unit and amount")]
    NoPolicy,
    /// The period is longer than the calendar of this world.
    #[error("the period ends beyond every calendar: check the numbers")]
    TooLong,
    /// The bank holidays of a day are not known (H11).
    #[error(transparent)]
    Beyond(#[from] BeyondCalendar),
}

/// What clocks are worked out with.
#[derive(Clone, Copy, Debug)]
pub struct ClockRules<'a> {
    /// What the clocks are set to.
    pub policies: &'a ClockPolicies,
    /// The bank holidays.
    pub holidays: &'a BankHolidays,
}

/// Works out by when. See the [module](self).
///
/// # Errors
/// [`ClockError`], naming what is wrong with the question.
pub fn due(
    rules: ClockRules<'_>,
    clock: ClockName,
    started: When,
    events: &[ClockEvent],
) -> Result<Answer, ClockError> {
    let events = event::in_order(clock, started.day, events)?;
    let (policies, start) = (rules.policies, started.day);
    let run = Run {
        holidays: rules.holidays,
        started,
        events: &events,
    };
    match clock {
        ClockName::Foi => run.under(&policies.foi, information::foi),
        ClockName::FoiReview => run.under(&policies.foi_review, information::foi_review),
        ClockName::Eir => run.under(&policies.eir, information::eir),
        ClockName::EirReview => run.under(&policies.eir_review, information::eir_review),
        ClockName::Sar => run.under(&policies.sar, rights::sar),
        ClockName::DpComplaintAck => run.under(&policies.dp_complaint_ack, rights::complaint_acknowledgement),
        ClockName::ComplaintS1Ack => run.under(&policies.complaint_s1, complaint::acknowledgement),
        ClockName::ComplaintS2Ack => run.under(&policies.complaint_s2, complaint::acknowledgement),
        ClockName::ComplaintS1 => run.under(&policies.complaint_s1, complaint::answer),
        ClockName::ComplaintS2 => run.under(&policies.complaint_s2, complaint::answer),
        ClockName::BlueBadge => run.under(&policies.blue_badge, badge::decision),
        ClockName::BlueBadgeExpiry => run.under(&policies.blue_badge_expiry, badge::expiry),
        ClockName::Birth => run.under(&policies.birth, registrars::birth),
        ClockName::Death => {
            // Since medical examiners certify, what counts is when the certificate came, however long ago the death was.
            let certified = events
                .iter()
                .find(|(_, what)| matches!(what, Happening::CertificateReceived));
            let regime = certified.map_or(start, |(on, _)| *on);
            run.under_row_of(regime, &policies.death, registrars::death)
        }
        ClockName::MarriageNotice => run.under(&policies.marriage_notice, registrars::marriage_notice),
        ClockName::ServiceTarget => target::service_target(&run, start),
    }
}

/// The last day on which a badge issued on a day can be valid, where nothing ends it sooner.
pub(crate) fn longest_badge(files: &ClockFiles, issued_on: Day) -> Option<Day> {
    let rules = ClockRules {
        policies: &files.policies,
        holidays: &files.holidays,
    };
    match due(rules, ClockName::BlueBadgeExpiry, issued_on.into(), &[]).ok()?.due {
        Due::On(day) => Some(day),
        _ => None,
    }
}

/// One question: a clock, since when, and what happened, in order.
struct Run<'a> {
    holidays: &'a BankHolidays,
    started: When,
    events: &'a [(Day, &'a Happening)],
}

impl Run<'_> {
    /// Works it out under the policy in force on the day that it started.
    fn under<T>(
        &self,
        policies: &Dated<T>,
        work_out: impl Fn(&Self, &InForce<'_, T>) -> Result<Answer, ClockError>,
    ) -> Result<Answer, ClockError> {
        self.under_row_of(self.started.day, policies, work_out)
    }

    /// Works it out under the policy in force on a day.
    fn under_row_of<T>(
        &self,
        day: Day,
        policies: &Dated<T>,
        work_out: impl Fn(&Self, &InForce<'_, T>) -> Result<Answer, ClockError>,
    ) -> Result<Answer, ClockError> {
        let start = self.started.day;
        let Some(policy) = policies.on(day) else {
            return Ok(Story::default().ends(
                Due::NotApplicable,
                match policies.first() {
                    Some(first) => format!(
                        "This rule ({}) applies from {} on, and it began on {}.",
                        first.source,
                        london::day_in_words(first.from),
                        london::day_in_words(start)
                    ),
                    None => "There is no rule for this.".to_owned(),
                },
            ));
        };
        work_out(self, &policy)
    }
}

#[cfg(test)]
mod tests;
