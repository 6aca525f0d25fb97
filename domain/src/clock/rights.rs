//! A person's requests and complaints about their own data.

use catalogue::clocks::{InForce, RightsPolicy, RollingDaysPolicy};
use catalogue::london::day_in_words;
use schemas::moment::Day;

use super::months::{days_after, months_after};
use super::story::Story;
use super::{Answer, ClockError, Due, Happening, Run};

/// A stretch of days that do not count, both ends included; without an end, it goes on.
struct Pause {
    from: Day,
    to: Option<Day>,
    /// How many questions were asked in it, and how many answered.
    asked: u32,
    answered: u32,
}

impl Pause {
    fn covers(&self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// What a person has to bring before their time begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Identity,
    Fee,
}

impl Awaited {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Identity => "to show who they are",
            Self::Fee => "to pay a fee",
        }
    }

    const fn which_came(self) -> &'static str {
        match self {
            Self::Identity => "Proof of identity",
            Self::Fee => "The payment",
        }
    }
}

struct Request<'a> {
    policy: &'a RightsPolicy,
    /// The latest of receipt, identity and fee: the time runs from it (article 12(3) and 12A).
    relevant: Day,
    awaited: Vec<Awaited>,
    pauses: Vec<Pause>,
    extended: bool,
    story: Story,
}

impl Request<'_> {
    /// The last day of a period of months, walked day by day over the pauses (H6), before it rolls on. None while it is not known.
    fn walked(&self, months: u8) -> Result<Option<Day>, ClockError> {
        if !self.awaited.is_empty() {
            return Ok(None);
        }
        let unpaused = months_after(self.relevant, u16::from(months))?;
        let mut left = (unpaused.0 - self.relevant.0).whole_days();
        let mut day = self.relevant;
        while left > 0 {
            day = days_after(day, 1)?;
            match self.pauses.iter().find(|pause| pause.covers(day)) {
                Some(Pause { to: None, .. }) => return Ok(None),
                Some(_) => {}
                None => left -= 1,
            }
        }
        Ok(Some(day))
    }

    fn months(&self) -> u8 {
        if self.extended {
            self.policy.extended_months
        } else {
            self.policy.months
        }
    }

    fn is_past(&self, months: u8, on: Day) -> Result<bool, ClockError> {
        Ok(self.walked(months)?.is_some_and(|last| on > last))
    }

    fn ask_for(&mut self, what: Awaited, on: Day) {
        if !self.awaited.contains(&what) {
            self.awaited.push(what);
            let (day, what) = (day_in_words(on), what.in_words());
            self.story.tell(format!("On {day} the person was asked {what}."));
        }
    }

    fn has_come(&mut self, what: Awaited, on: Day) {
        if !self.awaited.contains(&what) {
            let why = "nobody was waiting for it";
            self.story.tell_of_no_effect(what.which_came(), on, why);
            return;
        }
        self.awaited.retain(|awaited| *awaited != what);
        self.relevant = self.relevant.max(on);
        let day = day_in_words(on);
        self.story
            .tell(format!("They did on {day}: the time runs from that day."));
    }

    fn ask_about_scope(&mut self, on: Day) -> Result<(), ClockError> {
        if let Some(pause) = self.pauses.last_mut().filter(|pause| pause.to.is_none()) {
            pause.asked += 1;
            return Ok(());
        }
        if let Some(last) = self.walked(self.months())?.filter(|last| on > *last) {
            let why = format!("the months themselves had ended on {}", day_in_words(last));
            self.story.tell_of_no_effect("Asking what the person wants", on, &why);
            return Ok(());
        }
        self.pauses.push(Pause {
            from: on,
            to: None,
            asked: 1,
            answered: 0,
        });
        Ok(())
    }

    /// The first answer ends the pause. Where more was asked meanwhile, each further answer makes it longer.
    fn answer_about_scope(&mut self, on: Day) {
        let Some(pause) = self.pauses.last_mut().filter(|pause| pause.answered < pause.asked) else {
            let why = "no question was open that counts";
            self.story.tell_of_no_effect("What the person sent", on, why);
            return;
        };
        pause.answered += 1;
        pause.to = Some(on);
        let (from, to) = (day_in_words(pause.from), day_in_words(on));
        self.story.tell(format!(
            "The council asked on {from} what the person wants, and had an answer on {to}: these days, both included, do not \
             count."
        ));
    }

    fn extend(&mut self, on: Day) -> Result<(), ClockError> {
        // H7: before the day rolls on.
        if self.is_past(self.policy.months, on)? {
            let why = "it has to come before the first month is over";
            self.story.tell_of_no_effect("The notice of more time", on, why);
        } else {
            self.extended = true;
            self.story.tell(format!(
                "The person was told on {}, with reasons, that it takes longer: the time is {} months.",
                day_in_words(on),
                self.policy.extended_months
            ));
        }
        Ok(())
    }
}

/// A request of a person about their own data (UK GDPR articles 12, 12A and 15 to 22): one month from the relevant time to the
/// same date, three where it is extended, and on to the next working day (H5).
pub(super) fn sar(run: &Run<'_>, in_force: &InForce<'_, RightsPolicy>) -> Result<Answer, ClockError> {
    let mut story = Story::default();
    story.tell(format!(
        "The request was received on {}.",
        day_in_words(run.started.day)
    ));
    let mut request = Request {
        policy: in_force.policy,
        relevant: run.started.day,
        awaited: Vec::new(),
        pauses: Vec::new(),
        extended: false,
        story,
    };
    for &(on, happening) in run.events {
        match happening {
            Happening::IdRequested => request.ask_for(Awaited::Identity, on),
            Happening::IdReceived => request.has_come(Awaited::Identity, on),
            Happening::FeeRequested => request.ask_for(Awaited::Fee, on),
            Happening::FeePaid => request.has_come(Awaited::Fee, on),
            Happening::ClarificationRequested => request.ask_about_scope(on)?,
            Happening::ClarificationReceived => request.answer_about_scope(on),
            Happening::ExtensionNotice => request.extend(on)?,
            _ => {}
        }
    }
    let source = in_force.source;
    if let Some(awaited) = request.awaited.first() {
        let sentence = format!(
            "The person was asked {} and the council waits for it: the time has not begun ({source}).",
            awaited.in_words()
        );
        return Ok(request.story.ends(Due::Suspended, sentence));
    }
    if let Some(Pause { from, to: None, .. }) = request.pauses.last() {
        let sentence = format!(
            "The council asked on {} what the person wants and waits for the answer: until then no day can be given ({source}).",
            day_in_words(*from)
        );
        return Ok(request.story.ends(Due::Suspended, sentence));
    }
    let months = request.months();
    // Nothing is awaited, and no pause is open: there is a day.
    let Some(last) = request.walked(months)? else {
        return Err(ClockError::TooLong);
    };
    let period = if months == 1 {
        "One month".to_owned()
    } else {
        format!("{months} months")
    };
    let pauses = if request.pauses.is_empty() {
        ""
    } else {
        ", the days that do not count left out,"
    };
    request.story.tell(format!(
        "{period} from {}{pauses} ends on {}.",
        day_in_words(request.relevant),
        day_in_words(last)
    ));
    let due = run.holidays.working_day_from(in_force.policy.calendar, last)?;
    if due != last {
        request.story.tell(no_working_day(run, in_force.policy.calendar, last));
    }
    let sentence = format!("The answer is due by the end of {} ({source}).", day_in_words(due));
    Ok(request.story.ends(Due::On(due), sentence))
}

/// The acknowledgement of a data protection complaint (Data Protection Act 2018 section 164A): thirty days, and on to the next
/// working day (H5).
pub(super) fn complaint_acknowledgement(
    run: &Run<'_>,
    in_force: &InForce<'_, RollingDaysPolicy>,
) -> Result<Answer, ClockError> {
    let policy = in_force.policy;
    let mut story = Story::default();
    let last = days_after(run.started.day, i64::from(policy.days))?;
    story.tell(format!(
        "The complaint was received on {}; day 1 is the day after, and day {} is {}.",
        day_in_words(run.started.day),
        policy.days,
        day_in_words(last)
    ));
    let due = run.holidays.working_day_from(policy.calendar, last)?;
    if due != last {
        story.tell(no_working_day(run, policy.calendar, last));
    }
    let sentence = format!(
        "It has to be acknowledged by the end of {} ({}).",
        day_in_words(due),
        in_force.source
    );
    Ok(story.ends(Due::On(due), sentence))
}

fn no_working_day(run: &Run<'_>, calendar: catalogue::calendar::Calendar, day: Day) -> String {
    let what = run
        .holidays
        .holiday(calendar, day)
        .map_or_else(|| "at a weekend".to_owned(), |name| format!("{name}, a bank holiday"));
    format!("That is {what}: it moves on to the next working day.")
}
