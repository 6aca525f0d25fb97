//! Complaints: the Complaint Handling Code of the Local Government and Social Care Ombudsman.

use catalogue::clocks::{ComplaintPolicy, InForce};
use catalogue::london::day_in_words;

use super::story::Story;
use super::{Answer, ClockError, Due, Happening, Run};

/// The acknowledgement of a complaint, or of the wish that it be looked at again.
pub(super) fn acknowledgement(run: &Run<'_>, in_force: &InForce<'_, ComplaintPolicy>) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    let number = policy.acknowledge_working_days;
    let mut story = Story::default();
    story.tell(format!(
        "It was received on {}. That is day 0, which is not counted.",
        day_in_words(run.started.day)
    ));
    let counted = run
        .holidays
        .count_after(policy.calendar, run.started.day, number, |_| false)?;
    story.tell_count(&counted);
    let sentence = format!(
        "Day {number} is {}: it has to be acknowledged by the end of it ({}).",
        day_in_words(counted.last),
        in_force.source
    );
    Ok(story.ends(Due::On(counted.last), sentence))
}

/// The answer to a complaint: counted from its acknowledgement, not from its receipt. Until it is acknowledged, from the day on
/// which that was due (H8). There is no pause.
pub(super) fn answer(run: &Run<'_>, in_force: &InForce<'_, ComplaintPolicy>) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    let calendar = policy.calendar;
    let mut story = Story::default();
    let acknowledged = run
        .events
        .iter()
        .find(|(_, happening)| matches!(happening, Happening::Acknowledged))
        .map(|(on, _)| *on);
    let day_0 = match acknowledged {
        Some(on) => {
            let received = run.started.day;
            let until = run
                .holidays
                .count_after(calendar, received, policy.acknowledge_working_days, |_| false)?
                .last;
            story.tell(format!(
                "The complaint was received on {} and acknowledged on {}{}. The day of the acknowledgement is day 0, which is not \
                 counted.",
                day_in_words(received),
                day_in_words(on),
                if on > until { ", which was late" } else { "" }
            ));
            on
        }
        None => {
            let received = run.started.day;
            let number = policy.acknowledge_working_days;
            let until = run.holidays.count_after(calendar, received, number, |_| false)?.last;
            story.tell(format!(
                "The complaint was received on {} and is not acknowledged yet. That is due by {}; as long as it is missing, the \
                 answer is counted from there.",
                day_in_words(received),
                day_in_words(until)
            ));
            until
        }
    };
    let mut more = 0_u32;
    for (on, happening) in run.events {
        let Happening::Extension {
            working_days,
            good_reason,
        } = happening
        else {
            continue;
        };
        let number = policy.working_days.saturating_add(more);
        let due = run.holidays.count_after(calendar, day_0, number, |_| false)?.last;
        if *on >= due {
            let why = format!("it has to come before the answer is due, on {}", day_in_words(due));
            story.tell_of_no_effect("The notice of more time", *on, &why);
            continue;
        }
        let asked = more.saturating_add(*working_days);
        let usual = policy.extension_working_days;
        more = if good_reason.0 {
            asked
        } else {
            asked.min(usual.max(more))
        };
        story.tell(format!(
            "The complainant was told on {} that it takes longer: {more} working days more in all.",
            day_in_words(*on)
        ));
        if more < asked {
            story.tell(format!("More than {usual} needs a good reason, and none is given."));
        }
    }
    let number = policy.working_days.saturating_add(more);
    let counted = run.holidays.count_after(calendar, day_0, number, |_| false)?;
    story.tell_count(&counted);
    let sentence = format!(
        "Day {number} is {}: the answer is due by the end of it ({}).",
        day_in_words(counted.last),
        in_force.source
    );
    Ok(story.ends(Due::On(counted.last), sentence))
}
