//! The council's own targets. No statute sets them.

use catalogue::calendar::Calendar;
use catalogue::london::{beginning_of, day_in_words, instant_in_words};
use schemas::moment::{Day, Instant};
use time::Duration;

use super::months::days_after;
use super::story::Story;
use super::{Answer, ClockError, Due, Happening, Run, TargetUnit};

/// A target of so many working days (H1), days or hours: the last policy given counts.
pub(super) fn service_target(run: &Run<'_>, start: Day) -> Result<Answer, ClockError> {
    let policy = run.events.iter().rev().find_map(|(_, happening)| match happening {
        Happening::Policy { unit, amount } => Some((*unit, *amount)),
        _ => None,
    });
    let (unit, amount) = policy.ok_or(ClockError::NoPolicy)?;
    let mut story = Story::default();
    match unit {
        TargetUnit::WorkingDays => {
            story.tell(format!(
                "It began on {}. That is day 0, which is not counted.",
                day_in_words(start)
            ));
            if amount == 0 {
                return Ok(story.ends(Due::On(start), "The target is the same day."));
            }
            let counted = run
                .holidays
                .count_after(Calendar::EnglandAndWales, start, amount, |_| false)?;
            story.tell_count(&counted);
            let sentence = format!(
                "Working day {amount} is {}: that is the council's target.",
                day_in_words(counted.last)
            );
            Ok(story.ends(Due::On(counted.last), sentence))
        }
        TargetUnit::CalendarDays => {
            let due = days_after(start, i64::from(amount))?;
            story.tell(format!(
                "It began on {}; every day after it counts.",
                day_in_words(start)
            ));
            let sentence = format!("Day {amount} is {}: that is the council's target.", day_in_words(due));
            Ok(story.ends(Due::On(due), sentence))
        }
        TargetUnit::Hours => {
            let began = run.started.at.unwrap_or_else(|| Instant::new(beginning_of(start)));
            if run.started.at.is_none() {
                story.tell("The time of day is not known: it is counted from the day's beginning.");
            }
            let due = began
                .get()
                .checked_add(Duration::hours(i64::from(amount)))
                .ok_or(ClockError::TooLong)?;
            story.tell(format!("It began at {}.", instant_in_words(began.get())));
            let hours = if amount == 1 { "hour" } else { "hours" };
            let sentence = format!(
                "{amount} {hours} later it is {}: that is the council's target.",
                instant_in_words(due)
            );
            Ok(story.ends(Due::At(Instant::new(due)), sentence))
        }
    }
}
