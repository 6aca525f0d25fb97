//! Births, deaths and notices of marriage. Their days never roll on (H10).

use catalogue::clocks::{DaysPolicy, DeathPolicy, DeathRunsFrom, InForce, MarriageNoticePolicy};
use catalogue::london::day_in_words;

use super::months::days_after;
use super::story::Story;
use super::{Answer, ClockError, Due, Happening, Run};

/// The registration of a birth (Births and Deaths Registration Act 1953 section 2).
pub(super) fn birth(run: &Run<'_>, in_force: &InForce<'_, DaysPolicy>) -> Result<Answer, ClockError> {
    let days = in_force.policy.days;
    let due = days_after(run.started.day, i64::from(days))?;
    let mut story = Story::default();
    story.tell(format!(
        "The child was born on {}; every day after it counts, and the last is {}.",
        day_in_words(run.started.day),
        day_in_words(due)
    ));
    let sentence = format!(
        "The birth has to be registered within {days} days, by the end of {} ({}).",
        day_in_words(due),
        in_force.source
    );
    Ok(story.ends(Due::On(due), sentence))
}

/// The registration of a death: since medical examiners certify, from the day that the registrar has the certificate.
pub(super) fn death(run: &Run<'_>, in_force: &InForce<'_, DeathPolicy>) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    let mut story = Story::default();
    let certificate = run
        .events
        .iter()
        .find(|(_, happening)| matches!(happening, Happening::CertificateReceived))
        .map(|(on, _)| *on);
    let from = match policy.runs_from {
        DeathRunsFrom::Death => {
            story.tell(format!(
                "The death was on {}; every day after it counts.",
                day_in_words(run.started.day)
            ));
            run.started.day
        }
        DeathRunsFrom::Certificate => {
            let Some(received) = certificate else {
                let sentence = format!(
                    "The registrar does not have the medical certificate of the cause of death yet: until then no day can be \
                     given ({}).",
                    in_force.source
                );
                return Ok(story.ends(Due::Suspended, sentence));
            };
            story.tell(format!(
                "The registrar has had the medical certificate of the cause of death since {}; every day after it counts.",
                day_in_words(received)
            ));
            received
        }
    };
    let due = days_after(from, i64::from(policy.days))?;
    let sentence = format!(
        "The death has to be registered within {} days, by the end of {} ({}).",
        policy.days,
        day_in_words(due),
        in_force.source
    );
    Ok(story.ends(Due::On(due), sentence))
}

/// The first day on which the schedule can be issued (Marriage Act 1949 section 31): the notice is displayed for 28 days, 70
/// where the Home Office extends it, beginning with the day after it was recorded.
pub(super) fn marriage_notice(
    run: &Run<'_>,
    in_force: &InForce<'_, MarriageNoticePolicy>,
) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    let is_extended = run
        .events
        .iter()
        .any(|(_, happening)| matches!(happening, Happening::ExtendedTo70));
    let days = if is_extended {
        policy.days_displayed_when_extended
    } else {
        policy.days_displayed
    };
    let earliest = days_after(run.started.day, i64::from(days) + 1)?;
    let mut story = Story::default();
    story.tell(format!(
        "The notice was recorded on {} and is displayed for {days} days, beginning with the day after.",
        day_in_words(run.started.day)
    ));
    let sentence = format!(
        "The earliest day for the schedule is {} ({}). Where two notices were given, the later one counts.",
        day_in_words(earliest),
        in_force.source
    );
    Ok(story.ends(Due::On(earliest), sentence))
}
