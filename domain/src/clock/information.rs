//! Requests for information: freedom of information, environmental information, and their reviews.

use catalogue::calendar::{Calendar, Counted};
use catalogue::clocks::{EirPolicy, FoiPolicy, FoiReviewPolicy, InForce, WorkingDaysPolicy};
use catalogue::london::day_in_words;
use schemas::moment::Day;

use super::months::last_of_months_beginning_with;
use super::story::Story;
use super::{Answer, ClockError, Due, Happening, Run};

/// A fee that was asked for. The working days from the notice to the payment, both included, are not counted (section 10(2) of
/// the Act, regulation 8 of the Regulations).
struct Fee {
    notice: Day,
    paid: Option<Day>,
}

impl Fee {
    fn covers(&self, day: Day) -> bool {
        self.notice <= day && self.paid.is_none_or(|paid| day <= paid)
    }
}

/// What has become of a request so far.
struct Request {
    day_0: Day,
    /// Since when it waits for clarification.
    asked: Option<Day>,
    fees: Vec<Fee>,
    extended: Option<Day>,
    story: Story,
}

impl Request {
    fn received(day: Day) -> Self {
        let mut story = Story::default();
        story.tell(format!(
            "The request was received on {}. That is day 0, which is not counted.",
            day_in_words(day)
        ));
        Self {
            day_0: day,
            asked: None,
            fees: Vec::new(),
            extended: None,
            story,
        }
    }

    fn unpaid(&mut self) -> Option<&mut Fee> {
        self.fees.last_mut().filter(|fee| fee.paid.is_none())
    }

    fn waits_for_payment(&self) -> bool {
        self.fees.last().is_some_and(|fee| fee.paid.is_none())
    }

    /// What they were asked is answered: the answer's day is the new day 0.
    fn answered(&mut self, on: Day) {
        let Some(asked) = self.asked.take() else {
            self.story
                .tell_of_no_effect("What the requester sent", on, "no question was open that counts");
            return;
        };
        self.day_0 = on;
        self.story.tell(format!(
            "The council asked what was meant on {}, and had the answer on {}: counting begins again, and that day is the new \
             day 0.",
            day_in_words(asked),
            day_in_words(on)
        ));
    }

    /// Takes the payment in, if it came by `last`; tells where it came too late.
    fn paid(&mut self, on: Day, last: Day) -> Result<(), Due> {
        let Some(fee) = self.unpaid() else {
            self.story
                .tell_of_no_effect("The payment", on, "no fee was owed by a notice that counts");
            return Ok(());
        };
        let notice = day_in_words(fee.notice);
        fee.paid = Some(on);
        if on > last {
            self.story.tell(format!(
                "A fee was asked for on {notice}. The last good day to pay was {}; it was paid on {}.",
                day_in_words(last),
                day_in_words(on)
            ));
            return Err(Due::Lapsed);
        }
        self.story.tell(format!(
            "A fee was asked for on {notice} and paid on {}: the days from the one to the other, both included, do not count.",
            day_in_words(on)
        ));
        Ok(())
    }

    fn count(&self, run: &Run<'_>, calendar: Calendar, number: u32) -> Result<Counted, ClockError> {
        let skipped = |day| self.fees.iter().any(|fee| fee.covers(day));
        Ok(run.holidays.count_after(calendar, self.day_0, number, skipped)?)
    }

    /// Whether the duty, of so many working days, is past on a day. While a fee is unpaid it is not.
    fn is_past(&self, run: &Run<'_>, calendar: Calendar, number: u32, day: Day) -> Result<bool, ClockError> {
        Ok(!self.waits_for_payment() && self.asked.is_none() && day > self.count(run, calendar, number)?.last)
    }

    /// The end of it: it waits, or there is a day.
    fn ends(mut self, run: &Run<'_>, calendar: Calendar, number: u32, source: &str) -> Result<Answer, ClockError> {
        if let Some(asked) = self.asked {
            let sentence = format!(
                "The council asked on {} what was meant. No deadline runs until the answer is there ({source}).",
                day_in_words(asked)
            );
            return Ok(self.story.ends(Due::Suspended, sentence));
        }
        if let Some(fee) = self.unpaid() {
            let sentence = format!(
                "A fee was asked for on {} and is not paid yet: until then no day can be given ({source}).",
                day_in_words(fee.notice)
            );
            return Ok(self.story.ends(Due::Suspended, sentence));
        }
        let counted = self.count(run, calendar, number)?;
        self.story.tell_count(&counted);
        let sentence = format!(
            "Day {number} is {}: the answer is due by the end of it ({source}).",
            day_in_words(counted.last)
        );
        Ok(self.story.ends(Due::On(counted.last), sentence))
    }
}

/// A request under the Freedom of Information Act 2000: twenty working days after receipt; from the answer anew where the council
/// had to ask (section 1(3)); without the days in which a fee was owed; up to forty where the public interest is weighed (H4).
pub(super) fn foi(run: &Run<'_>, in_force: &InForce<'_, FoiPolicy>) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    let calendar = policy.calendar;
    let mut request = Request::received(run.started.day);
    let allowed = |request: &Request| match request.extended {
        Some(_) => policy.public_interest_working_days,
        None => policy.working_days,
    };
    for &(on, happening) in run.events {
        match happening {
            Happening::ClarificationRequested if request.is_past(run, calendar, allowed(&request), on)? => {
                let why = "the time was over, and asking does not bring it back";
                request.story.tell_of_no_effect("Asking what was meant", on, why);
            }
            Happening::ClarificationRequested => _ = request.asked.get_or_insert(on),
            Happening::ClarificationReceived => {
                let is_answer = request.asked.is_some();
                request.answered(on);
                // A new period: a notice about the old one says nothing of it.
                if is_answer && request.extended.take().is_some() {
                    request
                        .story
                        .tell("The notice about the public interest falls away with it.");
                }
            }
            Happening::FeeNotice if request.is_past(run, calendar, allowed(&request), on)? => {
                let why = "it has to be given while the time runs (section 9)";
                request.story.tell_of_no_effect("The fees notice", on, why);
            }
            Happening::FeeNotice if request.waits_for_payment() => {}
            Happening::FeeNotice => request.fees.push(Fee { notice: on, paid: None }),
            Happening::FeePaid => {
                let notice = request.unpaid().map_or(on, |fee| fee.notice);
                let last = last_of_months_beginning_with(notice, u16::from(policy.fee_months))?;
                if let Err(lapsed) = request.paid(on, last) {
                    let sentence = "The council no longer has to answer (section 9(2) of the Act).";
                    return Ok(request.story.ends(lapsed, sentence));
                }
            }
            Happening::PublicInterestExtension if request.is_past(run, calendar, policy.working_days, on)? => {
                let why = format!("it has to be given within {} working days", policy.working_days);
                request
                    .story
                    .tell_of_no_effect("The notice that the public interest is weighed", on, &why);
            }
            Happening::PublicInterestExtension => {
                request.extended = Some(on);
                request.story.tell(format!(
                    "The requester was told on {} that the public interest is still being weighed: that may take up to {} \
                     working days in all.",
                    day_in_words(on),
                    policy.public_interest_working_days
                ));
            }
            Happening::ExtensionNotice => {
                let why = "the Act knows no extension for complexity; the Environmental Information Regulations do";
                request.story.tell_of_no_effect("The notice of more time", on, why);
            }
            _ => {}
        }
    }
    let number = allowed(&request);
    request.ends(run, calendar, number, in_force.source)
}

/// A request under the Environmental Information Regulations 2004: twenty working days after receipt, forty in all where it is
/// complex and voluminous (regulation 7). The notices of that and of a charge are measured from the receipt itself, also where
/// particulars had to be asked for: regulation 9(5) does not name them.
pub(super) fn eir(run: &Run<'_>, in_force: &InForce<'_, EirPolicy>) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    let calendar = policy.calendar;
    let receipt = run.started.day;
    let mut request = Request::received(receipt);
    let within = |day_0: Day, on: Day| -> Result<bool, ClockError> {
        let counted = run
            .holidays
            .count_after(calendar, day_0, policy.working_days, |_| false)?;
        Ok(on <= counted.last)
    };
    let late = format!("it has to come within {} working days of receipt", policy.working_days);
    for &(on, happening) in run.events {
        match happening {
            Happening::ClarificationRequested if request.asked.is_none() && !within(request.day_0, on)? => {
                request.story.tell_of_no_effect("Asking for particulars", on, &late);
            }
            Happening::ClarificationRequested => _ = request.asked.get_or_insert(on),
            Happening::ClarificationReceived => request.answered(on),
            Happening::FeeNotice if !within(receipt, on)? => {
                request.story.tell_of_no_effect("The notice of a charge", on, &late);
            }
            Happening::FeeNotice if request.waits_for_payment() => {}
            Happening::FeeNotice => request.fees.push(Fee { notice: on, paid: None }),
            Happening::FeePaid => {
                let notice = request.unpaid().map_or(on, |fee| fee.notice);
                let last = run
                    .holidays
                    .count_after(calendar, notice, policy.fee_working_days, |_| false)?
                    .last;
                if let Err(lapsed) = request.paid(on, last) {
                    let sentence = "The council no longer has to answer (regulation 8).";
                    return Ok(request.story.ends(lapsed, sentence));
                }
            }
            Happening::ExtensionNotice if !within(receipt, on)? => {
                request.story.tell_of_no_effect("The notice of more time", on, &late);
            }
            Happening::ExtensionNotice => {
                request.extended = Some(on);
                request.story.tell(format!(
                    "The requester was told on {} that the request is complex and large: the time is {} working days in all.",
                    day_in_words(on),
                    policy.extended_working_days
                ));
            }
            Happening::PublicInterestExtension => {
                let why = "the Regulations give no more time for weighing the public interest";
                request
                    .story
                    .tell_of_no_effect("The notice that the public interest is weighed", on, why);
            }
            _ => {}
        }
    }
    let number = match request.extended {
        Some(_) => policy.extended_working_days,
        None => policy.working_days,
    };
    request.ends(run, calendar, number, in_force.source)
}

/// The internal review of a freedom of information request: a working time that guidance gives, longer in exceptional cases only.
pub(super) fn foi_review(run: &Run<'_>, in_force: &InForce<'_, FoiReviewPolicy>) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    let is_exceptional = run
        .events
        .iter()
        .any(|(_, happening)| matches!(happening, Happening::Exceptional));
    let number = if is_exceptional {
        policy.exceptional_working_days
    } else {
        policy.working_days
    };
    review(run, policy.calendar, number, is_exceptional, in_force.source)
}

/// The internal review of an environmental information request: what regulation 11(4) gives, and no more.
pub(super) fn eir_review(run: &Run<'_>, in_force: &InForce<'_, WorkingDaysPolicy>) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    review(run, policy.calendar, policy.working_days, false, in_force.source)
}

fn review(
    run: &Run<'_>,
    calendar: Calendar,
    number: u32,
    is_exceptional: bool,
    source: &str,
) -> Result<Answer, ClockError> {
    let mut story = Story::default();
    story.tell(format!(
        "The review was asked for on {}. That is day 0, which is not counted.",
        day_in_words(run.started.day)
    ));
    if is_exceptional {
        story.tell(format!("The case is exceptional: it may take {number} working days."));
    }
    let counted = run.holidays.count_after(calendar, run.started.day, number, |_| false)?;
    story.tell_count(&counted);
    let sentence = format!(
        "Day {number} is {}: the outcome of the review is due by the end of it ({source}).",
        day_in_words(counted.last)
    );
    Ok(story.ends(Due::On(counted.last), sentence))
}
