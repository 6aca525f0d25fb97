//! What each clock is set to: dated policy data, from `calendar/clocks.toml`. The rules that use it are `domain`'s.

mod name;

use schemas::moment::Day;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use time::{Date, Month};

use crate::calendar::{BankHolidays, Calendar, HolidayFault};
use crate::version;

pub use name::{ClockKind, ClockName, TargetUnit, UnknownClock};

const BUILT_IN: &str = include_str!("../calendar/clocks.toml");

/// Why a file of clocks can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// It is no TOML of this form.
    #[error("the clocks can't be read: {0}")]
    Unreadable(String),
    /// Rows of a clock are out of order, or begin twice on one day.
    #[error("the rows of {0} must follow each other by their `from`, each on another day")]
    Order(&'static str),
}

/// The rows of one clock, the earlier first.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Dated<T> {
    rows: Vec<Row<T>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Row<T> {
    #[serde(deserialize_with = "toml_day")]
    from: Day,
    source: String,
    #[serde(flatten)]
    policy: T,
}

/// A policy, and the law or guidance that it follows.
#[derive(Clone, Copy, Debug)]
pub struct InForce<'a, T> {
    /// The numbers.
    pub policy: &'a T,
    /// What they follow, in words.
    pub source: &'a str,
    /// Since when.
    pub from: Day,
}

impl<T> Dated<T> {
    /// What is in force on a day: the last row that began by then; none before the first.
    #[must_use]
    pub fn on(&self, day: Day) -> Option<InForce<'_, T>> {
        let row = self.rows.iter().rev().find(|row| row.from <= day)?;
        Some(InForce {
            policy: &row.policy,
            source: &row.source,
            from: row.from,
        })
    }

    /// The first row: what is before it has no rule.
    #[must_use]
    pub fn first(&self) -> Option<InForce<'_, T>> {
        self.rows.first().and_then(|row| self.on(row.from))
    }

    fn in_order(&self) -> bool {
        self.rows.windows(2).all(|pair| pair[0].from < pair[1].from)
    }
}

/// A request under the Freedom of Information Act 2000.
#[derive(Clone, Debug, Deserialize)]
pub struct FoiPolicy {
    /// Whose working days.
    pub calendar: Calendar,
    /// After day 0.
    pub working_days: u32,
    /// The same, where the public interest is weighed.
    pub public_interest_working_days: u32,
    /// Within how many months, beginning with the notice, a fee must be paid.
    pub fee_months: u8,
}

/// The internal review of such a request.
#[derive(Clone, Debug, Deserialize)]
pub struct FoiReviewPolicy {
    /// Whose working days.
    pub calendar: Calendar,
    /// After day 0.
    pub working_days: u32,
    /// The same, in exceptional cases.
    pub exceptional_working_days: u32,
}

/// A request under the Environmental Information Regulations 2004.
#[derive(Clone, Debug, Deserialize)]
pub struct EirPolicy {
    /// Whose working days.
    pub calendar: Calendar,
    /// After day 0.
    pub working_days: u32,
    /// In total, where it is complex and voluminous.
    pub extended_working_days: u32,
    /// Within how many working days after the notice a charge must be paid.
    pub fee_working_days: u32,
}

/// A number of working days after day 0.
#[derive(Clone, Debug, Deserialize)]
pub struct WorkingDaysPolicy {
    /// Whose working days.
    pub calendar: Calendar,
    /// After day 0.
    pub working_days: u32,
}

/// A request of a person about their own data.
#[derive(Clone, Debug, Deserialize)]
pub struct RightsPolicy {
    /// On whose next working day a period that ends on none of them ends.
    pub calendar: Calendar,
    /// From the relevant time.
    pub months: u8,
    /// The same, extended.
    pub extended_months: u8,
}

/// A number of calendar days that rolls on from a day that is no working day.
#[derive(Clone, Debug, Deserialize)]
pub struct RollingDaysPolicy {
    /// Whose working days.
    pub calendar: Calendar,
    /// After day 0.
    pub days: u16,
}

/// A stage of a complaint.
#[derive(Clone, Debug, Deserialize)]
pub struct ComplaintPolicy {
    /// Whose working days.
    pub calendar: Calendar,
    /// For the acknowledgement, after receipt.
    pub acknowledge_working_days: u32,
    /// For the answer, after the acknowledgement.
    pub working_days: u32,
    /// The most that it is extended by without a good reason.
    pub extension_working_days: u32,
}

/// A number of calendar days.
#[derive(Clone, Debug, Deserialize)]
pub struct DaysPolicy {
    /// After day 0.
    pub days: u16,
}

/// How long a blue badge lasts.
#[derive(Clone, Debug, Deserialize)]
pub struct BadgeTermPolicy {
    /// Beginning with the day of issue.
    pub years: u8,
    /// The birthday of a child whose badge depends on its age: the badge lasts to the day after it.
    pub child_birthday: u8,
}

/// What the time for registering a death runs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeathRunsFrom {
    /// The death.
    Death,
    /// That the registrar has the certificate of the medical examiner, or the coroner's papers.
    Certificate,
}

/// The registration of a death.
#[derive(Clone, Debug, Deserialize)]
pub struct DeathPolicy {
    /// After day 0.
    pub days: u16,
    /// What day 0 is.
    pub runs_from: DeathRunsFrom,
}

/// The notice of a marriage or civil partnership.
#[derive(Clone, Debug, Deserialize)]
pub struct MarriageNoticePolicy {
    /// How many days it is displayed, beginning with the day after it is recorded.
    pub days_displayed: u16,
    /// The same, where the Home Office extends it.
    pub days_displayed_when_extended: u16,
}

/// From when on a clock's day is near, and somebody is told.
#[derive(Clone, Debug, Deserialize)]
pub struct NearPolicy {
    /// Whose working days.
    pub calendar: Calendar,
    /// How many before the day.
    pub working_days: u32,
    /// A run of at most so many calendar days is short.
    pub short_days: u16,
    /// How many working days before the day of a short one.
    pub short_working_days: u32,
}

/// What clocks are worked out with: what they are set to, and the bank holidays.
#[derive(Clone, Debug)]
pub struct ClockFiles {
    /// What the clocks are set to.
    pub policies: ClockPolicies,
    /// The bank holidays.
    pub holidays: BankHolidays,
}

impl ClockFiles {
    /// Those that this crate carries.
    ///
    /// # Errors
    /// Never in a release: a test reads them.
    pub fn built_in() -> Result<Self, ClockFilesFault> {
        Ok(Self {
            policies: ClockPolicies::built_in()?,
            holidays: BankHolidays::built_in()?,
        })
    }

    /// The version of both: that of the rules, a dot, that of the bank holidays.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}.{}", self.policies.version(), self.holidays.version())
    }
}

/// Why the files of the clocks can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockFilesFault {
    /// What the clocks are set to.
    #[error(transparent)]
    Clocks(#[from] ClockFault),
    /// The bank holidays.
    #[error(transparent)]
    Holidays(#[from] HolidayFault),
}

/// Every clock's rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // The names are the clocks'.
pub struct ClockPolicies {
    #[serde(skip)]
    version: String,
    pub foi: Dated<FoiPolicy>,
    pub foi_review: Dated<FoiReviewPolicy>,
    pub eir: Dated<EirPolicy>,
    pub eir_review: Dated<WorkingDaysPolicy>,
    pub sar: Dated<RightsPolicy>,
    pub dp_complaint_ack: Dated<RollingDaysPolicy>,
    pub complaint_s1: Dated<ComplaintPolicy>,
    pub complaint_s2: Dated<ComplaintPolicy>,
    pub blue_badge: Dated<DaysPolicy>,
    pub blue_badge_expiry: Dated<BadgeTermPolicy>,
    pub birth: Dated<DaysPolicy>,
    pub death: Dated<DeathPolicy>,
    pub marriage_notice: Dated<MarriageNoticePolicy>,
    pub near: Dated<NearPolicy>,
}

impl ClockPolicies {
    /// Those that this crate carries.
    ///
    /// # Errors
    /// Never in a release: a test reads them.
    pub fn built_in() -> Result<Self, ClockFault> {
        Self::parse(BUILT_IN)
    }

    /// Reads a file of clocks.
    ///
    /// # Errors
    /// [`ClockFault`].
    pub fn parse(text: &str) -> Result<Self, ClockFault> {
        let read: Self = toml::from_str(text).map_err(|error| ClockFault::Unreadable(error.to_string()))?;
        for (name, in_order) in [
            ("foi", read.foi.in_order()),
            ("foi_review", read.foi_review.in_order()),
            ("eir", read.eir.in_order()),
            ("eir_review", read.eir_review.in_order()),
            ("sar", read.sar.in_order()),
            ("dp_complaint_ack", read.dp_complaint_ack.in_order()),
            ("complaint_s1", read.complaint_s1.in_order()),
            ("complaint_s2", read.complaint_s2.in_order()),
            ("blue_badge", read.blue_badge.in_order()),
            ("blue_badge_expiry", read.blue_badge_expiry.in_order()),
            ("birth", read.birth.in_order()),
            ("death", read.death.in_order()),
            ("marriage_notice", read.marriage_notice.in_order()),
            ("near", read.near.in_order()),
        ] {
            if !in_order {
                return Err(ClockFault::Order(name));
            }
        }
        Ok(Self {
            version: version::of_contents(std::iter::once(("clocks.toml", text))),
            ..read
        })
    }

    /// The version: 16 hexadecimal characters of a SHA-256 over the file.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// A day as TOML writes it, without quotes.
pub(crate) fn toml_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    let day = written
        .date
        .filter(|_| written.time.is_none() && written.offset.is_none());
    day.and_then(|day| {
        let month = Month::try_from(day.month).ok()?;
        Date::from_calendar_date(i32::from(day.year), month, day.day).ok()
    })
    .map(Day)
    .ok_or_else(|| D::Error::custom("expected a day, written 2026-04-01 without quotes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn the_row_of_the_day_is_in_force() {
        let policies = ClockPolicies::built_in().unwrap();
        assert!(policies.dp_complaint_ack.on(day("2026-06-18")).is_none());
        assert_eq!(policies.dp_complaint_ack.on(day("2026-06-19")).unwrap().policy.days, 30);
        let death = |text| policies.death.on(day(text)).unwrap().policy.runs_from;
        assert_eq!(death("2024-09-08"), DeathRunsFrom::Death);
        assert_eq!(death("2024-09-09"), DeathRunsFrom::Certificate);
    }

    #[test]
    fn rows_out_of_order_and_strange_ones_are_refused() {
        let swapped = BUILT_IN.replace("from = 2018-05-25", "from = 2027-05-25");
        assert_eq!(ClockPolicies::parse(&swapped).unwrap_err(), ClockFault::Order("sar"));
        let quoted = BUILT_IN.replace("from = 2018-05-25", "from = \"2018-05-25\"");
        assert!(matches!(ClockPolicies::parse(&quoted), Err(ClockFault::Unreadable(_))));
        let missing = BUILT_IN.replace("fee_months = 3", "");
        assert!(matches!(ClockPolicies::parse(&missing), Err(ClockFault::Unreadable(_))));
    }
}
