//! Blue badges: the decision, and how long a badge lasts.

use catalogue::clocks::{BadgeTermPolicy, DaysPolicy, InForce};
use catalogue::london::day_in_words;
use schemas::moment::Day;

use super::months::{days_after, last_of_months_beginning_with, months_after};
use super::story::Story;
use super::{Answer, ClockError, Due, Happening, Run};

const MONTHS_A_YEAR: u16 = 12;

/// The decision on an application. Evidence that was asked for does not pause it, and it does not roll on (H9).
pub(super) fn decision(run: &Run<'_>, in_force: &InForce<'_, DaysPolicy>) -> Result<Answer, ClockError> {
    let days = in_force.policy.days;
    let mut story = Story::default();
    let due = days_after(run.started.day, i64::from(days))?;
    story.tell(format!(
        "The application was received on {}; every day after it counts.",
        day_in_words(run.started.day)
    ));
    if run
        .events
        .iter()
        .any(|(_, happening)| matches!(happening, Happening::EvidenceRequested))
    {
        story.tell("Waiting for evidence does not stop the count.");
    }
    let sentence = format!(
        "Day {days} is {}: a decision is meant to be there by then ({}).",
        day_in_words(due),
        in_force.source
    );
    Ok(story.ends(Due::On(due), sentence))
}

/// The last day on which a badge is valid (SI 2000/682 regulation 6(2)): three years beginning with its issue, or sooner: the end
/// of the award that it rests on, or the day after the third birthday of a child that has it for its age. A replacement ends with
/// the badge that it replaces (regulation 7(2)).
pub(super) fn expiry(run: &Run<'_>, in_force: &InForce<'_, BadgeTermPolicy>) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    let mut story = Story::default();
    let replaced = run
        .events
        .iter()
        .rev()
        .find(|(_, happening)| matches!(happening, Happening::ReplacementOf))
        .map(|(issued, _)| *issued);
    let issued = replaced.unwrap_or(run.started.day);
    let mut last = last_of_months_beginning_with(issued, u16::from(policy.years) * MONTHS_A_YEAR)?;
    story.tell(match replaced {
        Some(_) => format!(
            "It replaces a badge that was issued on {}, and ends with it: {} years beginning with that day end on {}.",
            day_in_words(issued),
            policy.years,
            day_in_words(last)
        ),
        None => format!(
            "The badge was issued on {}: {} years beginning with that day end on {}.",
            day_in_words(issued),
            policy.years,
            day_in_words(last)
        ),
    });
    for &(day, happening) in run.events {
        let (sooner, because) = match happening {
            Happening::AwardEnds => (day, "the award that it rests on ends then".to_owned()),
            Happening::ChildUnder3Born => (
                day_after_birthday(day, policy.child_birthday)?,
                format!(
                    "it is the day after the child's {} birthday",
                    ordinal(policy.child_birthday)
                ),
            ),
            _ => continue,
        };
        if sooner < last {
            last = sooner;
            story.tell(format!("It ends sooner, on {}: {because}.", day_in_words(last)));
        }
    }
    let sentence = format!(
        "The last day on which it is valid is {} ({}).",
        day_in_words(last),
        in_force.source
    );
    Ok(story.ends(Due::On(last), sentence))
}

fn ordinal(number: u8) -> String {
    match number {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        other => format!("{other}th"),
    }
}

/// The day after a birthday; that of who was born on 29 February is 28 February in other years (H12).
fn day_after_birthday(born: Day, birthday: u8) -> Result<Day, ClockError> {
    days_after(months_after(born, u16::from(birthday) * MONTHS_A_YEAR)?, 1)
}
