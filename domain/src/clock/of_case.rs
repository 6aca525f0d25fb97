//! The clocks that run on a case, from how it stands.
//!
//! They run from the day that the request was received on, and end with the day that the case is closed or cancelled. A reopened
//! case has them anew from the day of its reopening; what was there before stays in its history. Clocks that run from something
//! else (a birth, the issue of a badge, the notice of a marriage) are not a case's own.

use catalogue::clocks::{ClockFiles, TargetUnit};
use catalogue::{RequestType, TargetCondition, TargetEnd};
use schemas::QuestionId;
use schemas::command::{ExtensionGround, InformationWanted};
use schemas::moment::{Day, Instant};

use super::{Answer, ClockError, ClockEvent, ClockName, ClockRules, GoodReason, Happening, When, due};
use crate::case::{Appointment, Entered, Standing};

/// A clock of a case.
pub(crate) struct NamedClock {
    pub(crate) name: QuestionId,
    /// Whether it is a target, behind which no law stands.
    pub(crate) target: bool,
    /// The day that it started from.
    pub(crate) started: Day,
    pub(crate) answer: Result<Answer, ClockError>,
}

/// The clocks of a case: those of its type that run from its receipt, the council's targets that were in force then, and the
/// contractor's.
pub(crate) fn of_case(files: &ClockFiles, request_type: &RequestType, standing: &Standing) -> Vec<NamedClock> {
    let rules = ClockRules {
        policies: &files.policies,
        holidays: &files.holidays,
    };
    let started = started_on(standing.started);
    let acknowledged = |moved: &Entered| matches!(moved, Entered::Acknowledged { .. });
    let is_acknowledged = standing.moved.iter().any(acknowledged);
    let running = request_type.clocks.iter().copied();
    let running =
        running.filter(|clock| runs_from_receipt(*clock) && !(is_acknowledged && ends_with_acknowledgement(*clock)));
    let mut clocks = Vec::new();
    for clock in running {
        if let Ok(name) = QuestionId::new(clock.as_str()) {
            clocks.push(NamedClock {
                name,
                target: false,
                started: started.day,
                answer: due(rules, clock, started, &events_of(clock, standing)),
            });
        }
    }
    let mut ids: Vec<_> = request_type.targets.iter().map(|target| &target.id).collect();
    ids.sort();
    ids.dedup();
    for target in ids.into_iter().filter_map(|id| request_type.target_on(id, started.day)) {
        let applies = |when: &TargetCondition| standing.open_answers.get(&when.question) == Some(&when.is);
        if !target.when.as_ref().is_none_or(applies) {
            continue;
        }
        if target.until == TargetEnd::Acknowledgement && is_acknowledged {
            continue;
        }
        let mut answer = target_of(rules, started, target.unit, target.amount);
        if let (Ok(answer), Some(law)) = (&mut answer, &target.law) {
            answer.explanation.insert(0, format!("{law} sets this."));
        }
        clocks.push(NamedClock {
            name: target.id.clone(),
            target: target.law.is_none(),
            started: started.day,
            answer,
        });
    }
    clocks.extend(of_job(rules, request_type, standing));
    clocks
}

/// The contractor's clock, while the job is with them: it runs beside the resident's.
fn of_job(rules: ClockRules<'_>, request_type: &RequestType, standing: &Standing) -> Option<NamedClock> {
    let job = standing.job.as_ref().filter(|job| job.stage.is_with_contractor())?;
    let contract = request_type.contract.as_ref()?;
    // What is booked is due on its day, however much time the contract gives; what had begun when it was taken up again counts no more.
    let mut booked = standing
        .appointments
        .iter()
        .filter(|appointment| job.began.1.is_none_or(|at| appointment.begins_at() > at))
        .filter_map(Appointment::booked);
    let slot = booked.next_back().filter(|_| request_type.calendar.is_some());
    let (mut answer, why) = match slot {
        Some(slot) => (
            target_of(rules, slot.day.into(), TargetUnit::CalendarDays, 0),
            "It is booked for this day.",
        ),
        None => {
            let target = contract.target_on(job.began.0, &standing.open_answers)?;
            (
                target_of(rules, started_on(job.began), target.unit, target.amount),
                "This is what the contract gives the contractor.",
            )
        }
    };
    if let Ok(answer) = &mut answer {
        answer.explanation.insert(0, why.to_owned());
    }
    Some(NamedClock {
        name: job.clock()?,
        target: true,
        started: job.began.0,
        answer,
    })
}

fn target_of(rules: ClockRules<'_>, started: When, unit: TargetUnit, amount: u32) -> Result<Answer, ClockError> {
    let policy = ClockEvent {
        on: None,
        what: Happening::Policy { unit, amount },
    };
    due(rules, ClockName::ServiceTarget, started, &[policy])
}

/// The day that clocks start from; with the instant, where it is of that day.
fn started_on((day, at): (Day, Option<Instant>)) -> When {
    let when = at.map(When::from);
    when.filter(|when| when.day == day).unwrap_or_else(|| day.into())
}

fn events_of(clock: ClockName, standing: &Standing) -> Vec<ClockEvent> {
    let happened = standing.moved.iter().filter_map(|moved| happening(clock, moved));
    happened
        .map(|(on, what)| ClockEvent {
            on: Some(on.into()),
            what,
        })
        .collect()
}

/// What an entry is to a clock, and on which day.
fn happening(clock: ClockName, entered: &Entered) -> Option<(Day, Happening)> {
    Some(match entered {
        Entered::Asked { wanted, on } => (*on, question(clock, *wanted)?.0),
        Entered::Provided { wanted, on, .. } => (*on, question(clock, *wanted)?.1),
        Entered::Acknowledged { on } => (*on, is_complaint(clock).then_some(Happening::Acknowledged)?),
        Entered::Extended {
            ground,
            working_days,
            good_reason,
            on,
        } => (*on, extension(clock, *ground, working_days.unwrap_or(0), *good_reason)?),
        _ => return None,
    })
}

/// What a question and its answer are to a clock.
fn question(clock: ClockName, wanted: InformationWanted) -> Option<(Happening, Happening)> {
    Some(match (clock, wanted) {
        (ClockName::Foi | ClockName::Eir | ClockName::Sar, InformationWanted::Clarification) => {
            (Happening::ClarificationRequested, Happening::ClarificationReceived)
        }
        (ClockName::Sar, InformationWanted::Identity) => (Happening::IdRequested, Happening::IdReceived),
        (ClockName::Foi | ClockName::Eir, InformationWanted::Fee) => (Happening::FeeNotice, Happening::FeePaid),
        (ClockName::Sar, InformationWanted::Fee) => (Happening::FeeRequested, Happening::FeePaid),
        (ClockName::BlueBadge, _) => (Happening::EvidenceRequested, Happening::EvidenceReceived),
        _ => return None,
    })
}

fn extension(clock: ClockName, ground: ExtensionGround, working_days: u32, good_reason: bool) -> Option<Happening> {
    Some(match (clock, ground) {
        (ClockName::Eir | ClockName::Sar, ExtensionGround::Complexity) => Happening::ExtensionNotice,
        (ClockName::Foi, ExtensionGround::PublicInterest) => Happening::PublicInterestExtension,
        (ClockName::FoiReview, ExtensionGround::Exceptional) => Happening::Exceptional,
        (ClockName::ComplaintS1 | ClockName::ComplaintS2, ExtensionGround::MoreWorkingDays) => Happening::Extension {
            working_days,
            good_reason: GoodReason(good_reason),
        },
        _ => return None,
    })
}

/// Whether time can be taken on this ground for one of the type's clocks.
pub(crate) fn can_be_extended(request_type: &RequestType, ground: ExtensionGround) -> bool {
    let clocks = request_type.clocks.iter();
    clocks
        .copied()
        .any(|clock| extension(clock, ground, 1, false).is_some())
}

const fn is_complaint(clock: ClockName) -> bool {
    matches!(
        clock,
        ClockName::ComplaintS1Ack
            | ClockName::ComplaintS1
            | ClockName::ComplaintS2Ack
            | ClockName::ComplaintS2
            | ClockName::DpComplaintAck
    )
}

const fn ends_with_acknowledgement(clock: ClockName) -> bool {
    matches!(
        clock,
        ClockName::ComplaintS1Ack | ClockName::ComplaintS2Ack | ClockName::DpComplaintAck
    )
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
