//! Calendars of appointments: when slots are, how many places each has, and how early and late one can be taken.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use schemas::CalendarName;
use schemas::command::Slot;
use schemas::moment::{Day, Instant, TimeOfDay};
use serde::Deserialize;
use time::Duration;

use crate::calendar::{BankHolidays, Calendar};
use crate::clocks::toml_day;
use crate::london;

/// A calendar of appointments.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingCalendar {
    /// Its name, one across all services.
    pub name: CalendarName,
    /// Its name for people.
    pub title: String,
    /// Where one goes; absent where somebody comes.
    #[serde(default)]
    #[schemars(with = "String")]
    pub location: Option<String>,
    /// How long a slot is, in minutes.
    #[schemars(range(min = 5, max = 1440))]
    pub minutes: u16,
    /// How many places a slot has.
    #[schemars(range(min = 1))]
    pub places: u32,
    /// How many hours before its beginning a slot can be taken at the latest.
    pub lead_hours: u16,
    /// How many days ahead slots can be taken.
    #[schemars(range(min = 1, max = 730))]
    pub days_ahead: u16,
    /// How many hours a place is held for somebody who has to pay first and has not; for good where it is absent. 0: not at all.
    #[serde(default)]
    #[schemars(with = "u16")]
    pub pay_within_hours: Option<u16>,
    /// Whether it is open on bank holidays of England and Wales.
    #[serde(default)]
    pub on_bank_holidays: bool,
    /// When it is open, each week.
    #[serde(rename = "opening")]
    pub openings: Vec<Opening>,
    /// Days on which it is closed all the same.
    #[serde(default)]
    pub closed: Vec<ClosedDay>,
}

/// When a calendar is open on a day of the week: slots follow one another from the one time until the other.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The day of the week.
    pub on: WeekDay,
    /// When the first slot begins.
    pub from: TimeOfDay,
    /// When the last slot has ended by.
    pub until: TimeOfDay,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WeekDay {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl WeekDay {
    const fn of(day: Day) -> Self {
        match day.0.weekday() {
            time::Weekday::Monday => Self::Monday,
            time::Weekday::Tuesday => Self::Tuesday,
            time::Weekday::Wednesday => Self::Wednesday,
            time::Weekday::Thursday => Self::Thursday,
            time::Weekday::Friday => Self::Friday,
            time::Weekday::Saturday => Self::Saturday,
            time::Weekday::Sunday => Self::Sunday,
        }
    }
}

/// A day on which a calendar is closed, as a TOML date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ClosedDay(
    #[serde(deserialize_with = "toml_day")]
    #[schemars(with = "Day")]
    pub Day,
);

/// Why a slot can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOffered {
    /// There is no such slot: outside the opening hours, on a closed day, or not at the beginning of one.
    NoSuchSlot,
    /// It is past, or begins too soon.
    TooSoon,
    /// It is further ahead than can be booked.
    TooFarAhead,
}

impl BookingCalendar {
    /// The slots of a day, in order.
    #[must_use]
    pub fn slots_of(&self, day: Day, holidays: Option<&BankHolidays>) -> Vec<Slot> {
        // Of a year that the bank holidays do not reach nobody knows yet which days are some: nothing is offered.
        let is_holiday = holidays.is_some_and(|holidays| {
            let known = holidays.is_working_day(Calendar::EnglandAndWales, day).is_ok();
            !known || holidays.holiday(Calendar::EnglandAndWales, day).is_some()
        });
        let is_closed = self.closed.contains(&ClosedDay(day)) || (is_holiday && !self.on_bank_holidays);
        let openings = self
            .openings
            .iter()
            .filter(|opening| !is_closed && opening.on == WeekDay::of(day));
        let mut slots = BTreeSet::new();
        for opening in openings {
            let mut minute = opening.from.minute_of_day();
            while minute + self.minutes <= opening.until.minute_of_day() {
                if let Some(time) = TimeOfDay::of_minute(minute) {
                    slots.insert(Slot { day, time });
                }
                minute += self.minutes;
            }
        }
        slots.into_iter().collect()
    }

    /// The slots of so many days, in order.
    pub fn slots_from(&self, first: Day, days: u16, holidays: Option<&BankHolidays>) -> impl Iterator<Item = Slot> {
        let days = (0..i64::from(days)).filter_map(move |days| first.0.checked_add(Duration::days(days)));
        days.flat_map(move |day| self.slots_of(Day(day), holidays))
    }

    /// The instant at which a slot begins, where it can be taken now as far as the calendar says.
    ///
    /// # Errors
    /// [`NotOffered`].
    pub fn offers(&self, slot: Slot, holidays: Option<&BankHolidays>, now: Instant) -> Result<Instant, NotOffered> {
        if !self.slots_of(slot.day, holidays).contains(&slot) {
            return Err(NotOffered::NoSuchSlot);
        }
        let begins_at = begins_at(slot).ok_or(NotOffered::NoSuchSlot)?;
        let ahead = (slot.day.0 - london::day_of(now.get()).0).whole_days();
        if ahead > i64::from(self.days_ahead) {
            return Err(NotOffered::TooFarAhead);
        }
        let is_past = begins_at <= now;
        if is_past || begins_at.get() < now.get() + Duration::hours(i64::from(self.lead_hours)) {
            return Err(NotOffered::TooSoon);
        }
        Ok(begins_at)
    }
}

/// The instant at which a slot begins; none of a time that London's clocks skip.
#[must_use]
pub fn begins_at(slot: Slot) -> Option<Instant> {
    london::instant_of(slot.day, slot.time).map(Instant::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    fn calendar(name: &str) -> BookingCalendar {
        let catalogue = Catalogue::built_in().unwrap();
        let found = catalogue.booking_calendar(&CalendarName::new(name).unwrap());
        found.unwrap().as_ref().clone()
    }

    fn times(calendar: &BookingCalendar, day: &str) -> Vec<String> {
        let slots = calendar.slots_of(day.parse().unwrap(), None);
        slots.into_iter().map(|slot| slot.time.to_string()).collect()
    }

    fn slot(day: &str, time: &str) -> Slot {
        Slot {
            day: day.parse().unwrap(),
            time: time.parse().unwrap(),
        }
    }

    #[test]
    fn slots_follow_one_another_as_long_as_a_whole_one_fits() {
        let mut visits = calendar("pest-visits");
        assert_eq!(times(&visits, "2026-05-22"), ["08:00", "10:00", "13:00", "15:00"]);
        visits.minutes = 90;
        assert_eq!(times(&visits, "2026-05-22"), ["08:00", "09:30", "13:00", "14:30"]);
        visits.closed = vec![ClosedDay("2026-05-22".parse().unwrap())];
        assert!(times(&visits, "2026-05-22").is_empty());
    }

    #[test]
    fn a_slot_that_would_end_with_the_day_is_none() {
        let mut all_day = calendar("pest-visits");
        all_day.minutes = 720;
        all_day.openings = vec![Opening {
            on: WeekDay::Friday,
            from: "00:00".parse().unwrap(),
            until: "23:59".parse().unwrap(),
        }];
        assert_eq!(times(&all_day, "2026-05-22"), ["00:00"]);
    }

    #[test]
    fn a_time_that_london_s_clocks_skip_is_no_slot_and_one_shown_twice_is_the_first() {
        assert_eq!(begins_at(slot("2026-03-29", "01:30")), None);
        let begins = |day, time| begins_at(slot(day, time)).unwrap().to_string();
        assert_eq!(begins("2026-03-29", "02:00"), "2026-03-29T01:00:00Z");
        assert_eq!(begins("2026-10-25", "01:30"), "2026-10-25T00:30:00Z");
        assert_eq!(begins("2026-10-25", "09:00"), "2026-10-25T09:00:00Z");
    }
}
