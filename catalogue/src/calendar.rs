//! Bank holidays and working days.
//!
//! The holidays come from a file of the form that GOV.UK publishes (`https://www.gov.uk/bank-holidays.json`): a division of
//! the United Kingdom each, with the days on which its banks are closed. A newer file can take its place while clocks run.
//! Years that the file does not hold whole are unknown: a day there is an error, never a guess.

use std::collections::{BTreeMap, BTreeSet};

use schemas::moment::Day;
use serde::Deserialize;
use time::Weekday;

use crate::london::day_in_words;
use crate::version;

const BUILT_IN: &str = include_str!("../calendar/bank-holidays.json");

/// Which days are working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calendar {
    /// No Saturday, no Sunday, and no day that is a bank holiday in any part of the United Kingdom (Freedom of Information
    /// Act 2000 section 10(6)).
    UkAny,
    /// No Saturday, no Sunday, and no bank holiday of England and Wales.
    EnglandAndWales,
}

/// A part of the United Kingdom with bank holidays of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Division {
    EnglandAndWales,
    Scotland,
    NorthernIreland,
}

impl Division {
    const fn in_words(self) -> &'static str {
        match self {
            Self::EnglandAndWales => "England and Wales",
            Self::Scotland => "Scotland",
            Self::NorthernIreland => "Northern Ireland",
        }
    }
}

/// Why a file of bank holidays can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HolidayFault {
    /// It is not of the form that GOV.UK publishes.
    #[error("the bank holidays can't be read: {0}")]
    Unreadable(String),
    /// A division is not in it, or has no holidays.
    #[error("the bank holidays of {0} are missing")]
    Missing(&'static str),
    /// There is no year that it holds for every division.
    #[error("the bank holidays have no year in common")]
    NoYear,
}

/// A day whose bank holidays are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is outside the years whose bank holidays are known, {first} to {last}: bring the file of bank holidays up to date",
    day_in_words(*day)
)]
pub struct BeyondCalendar {
    /// The day.
    pub day: Day,
    /// The first year that is known.
    pub first: i32,
    /// The last.
    pub last: i32,
}

/// The bank holidays of whole years.
#[derive(Clone, Debug)]
pub struct BankHolidays {
    version: String,
    first: i32,
    last: i32,
    by_day: BTreeMap<Day, Holiday>,
}

#[derive(Clone, Debug)]
struct Holiday {
    title: String,
    divisions: BTreeSet<Division>,
}

#[derive(Deserialize)]
struct DivisionEvents {
    events: Vec<DivisionEvent>,
}

#[derive(Deserialize)]
struct DivisionEvent {
    title: String,
    date: Day,
}

/// The working days that were counted on the way to the last of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The first that was counted.
    pub first: Day,
    /// The last.
    pub last: Day,
    /// The bank holidays on the way that fell on weekdays, with their names.
    pub holidays: Vec<(Day, String)>,
}

impl BankHolidays {
    /// Those that this crate carries.
    ///
    /// # Errors
    /// Never in a release: a test reads them.
    pub fn built_in() -> Result<Self, HolidayFault> {
        Self::parse(BUILT_IN)
    }

    /// Reads a file of the form that GOV.UK publishes.
    ///
    /// # Errors
    /// [`HolidayFault`].
    pub fn parse(text: &str) -> Result<Self, HolidayFault> {
        let divisions: BTreeMap<Division, DivisionEvents> =
            serde_json::from_str(text).map_err(|error| HolidayFault::Unreadable(error.to_string()))?;
        let mut by_day: BTreeMap<Day, Holiday> = BTreeMap::new();
        let (mut first, mut last) = (i32::MIN, i32::MAX);
        for division in [Division::EnglandAndWales, Division::Scotland, Division::NorthernIreland] {
            let events = divisions.get(&division).map_or(&[][..], |found| &found.events);
            let years = events.iter().map(|event| event.date.0.year());
            let (Some(begins), Some(ends)) = (years.clone().min(), years.max()) else {
                return Err(HolidayFault::Missing(division.in_words()));
            };
            (first, last) = (first.max(begins), last.min(ends));
            for event in events {
                let holiday = by_day.entry(event.date).or_insert_with(|| Holiday {
                    title: event.title.clone(),
                    divisions: BTreeSet::new(),
                });
                holiday.divisions.insert(division);
            }
        }
        if first > last {
            return Err(HolidayFault::NoYear);
        }
        Ok(Self {
            version: version::of_contents(std::iter::once(("bank-holidays.json", text))),
            first,
            last,
            by_day,
        })
    }

    /// The version: 16 hexadecimal characters of a SHA-256 over the file.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether it is a working day.
    ///
    /// # Errors
    /// [`BeyondCalendar`], for a weekend too.
    pub fn is_working_day(&self, calendar: Calendar, day: Day) -> Result<bool, BeyondCalendar> {
        if !(self.first..=self.last).contains(&day.0.year()) {
            let (first, last) = (self.first, self.last);
            return Err(BeyondCalendar { day, first, last });
        }
        Ok(!is_weekend(day) && self.holiday(calendar, day).is_none())
    }

    /// The bank holiday that a day is, in words: `St Andrew’s Day, in Scotland`.
    #[must_use]
    pub fn holiday(&self, calendar: Calendar, day: Day) -> Option<String> {
        let holiday = self.by_day.get(&day)?;
        if holiday.divisions.contains(&Division::EnglandAndWales) {
            return Some(holiday.title.clone());
        }
        let places: Vec<&str> = holiday.divisions.iter().map(|division| division.in_words()).collect();
        (calendar == Calendar::UkAny).then(|| format!("{}, in {}", holiday.title, places.join(" and ")))
    }

    /// The day itself where it is a working day, else the next one.
    ///
    /// # Errors
    /// [`BeyondCalendar`].
    pub fn working_day_from(&self, calendar: Calendar, day: Day) -> Result<Day, BeyondCalendar> {
        let mut day = day;
        while !self.is_working_day(calendar, day)? {
            day = next(day);
        }
        Ok(day)
    }

    /// Counts working days after a day, which is not counted itself, to the `number`th (at least 1). Days for which `skipped` is
    /// true are passed over.
    ///
    /// # Errors
    /// [`BeyondCalendar`].
    pub fn count_after(
        &self,
        calendar: Calendar,
        day: Day,
        number: u32,
        skipped: impl Fn(Day) -> bool,
    ) -> Result<Counted, BeyondCalendar> {
        let (mut at, mut counted, mut first) = (day, 0, None);
        let mut holidays = Vec::new();
        while counted < number.max(1) {
            at = next(at);
            if self.is_working_day(calendar, at)? {
                if !skipped(at) {
                    counted += 1;
                    first.get_or_insert(at);
                }
            } else if !is_weekend(at)
                && let Some(name) = self.holiday(calendar, at)
            {
                holidays.push((at, name));
            }
        }
        Ok(Counted {
            first: first.unwrap_or(at),
            last: at,
            holidays,
        })
    }
}

impl BankHolidays {
    /// The `number`th working day before a day, which is not counted itself.
    ///
    /// # Errors
    /// [`BeyondCalendar`].
    pub fn count_before(&self, calendar: Calendar, day: Day, number: u32) -> Result<Day, BeyondCalendar> {
        let (mut at, mut counted) = (day, 0);
        while counted < number {
            at = Day(at.0.previous_day().unwrap_or(at.0));
            if self.is_working_day(calendar, at)? {
                counted += 1;
            }
        }
        Ok(at)
    }
}

/// The day after. The last day that `time` knows has none, and is far beyond every calendar.
fn next(day: Day) -> Day {
    Day(day.0.next_day().unwrap_or(day.0))
}

fn is_weekend(day: Day) -> bool {
    matches!(day.0.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn works(calendar: Calendar, text: &str) -> bool {
        BankHolidays::built_in()
            .unwrap()
            .is_working_day(calendar, day(text))
            .unwrap()
    }

    #[test]
    fn a_holiday_anywhere_in_the_kingdom_is_none_of_its_working_days() {
        // 2 January, the first Monday in August, St Andrew's Day, 17 March, 12 July's substitute, and Scotland's World Cup holiday.
        for text in [
            "2026-01-02",
            "2026-08-03",
            "2026-11-30",
            "2026-03-17",
            "2026-07-13",
            "2026-06-15",
        ] {
            assert!(!works(Calendar::UkAny, text), "{text}");
            assert!(works(Calendar::EnglandAndWales, text), "{text}");
        }
        for text in ["2026-04-03", "2026-12-25", "2026-12-28", "2026-10-03", "2026-10-04"] {
            assert!(
                !works(Calendar::UkAny, text) && !works(Calendar::EnglandAndWales, text),
                "{text}"
            );
        }
        assert!(works(Calendar::UkAny, "2026-12-29"), "closed offices make no holiday");
    }

    #[test]
    fn a_year_that_is_not_known_is_an_error() {
        let holidays = BankHolidays::built_in().unwrap();
        let counted = holidays.count_after(Calendar::UkAny, day("2028-12-20"), 10, |_| false);
        assert_eq!(
            counted.unwrap_err().to_string(),
            "Monday 1 January 2029 is outside the years whose bank holidays are known, 2019 to 2028: bring the file of bank \
             holidays up to date"
        );
        assert!(holidays.is_working_day(Calendar::UkAny, day("2018-12-31")).is_err());
    }

    #[test]
    fn a_file_without_a_division_is_refused() {
        let scotland = r#"{"scotland": {"events": [{"title": "2nd January", "date": "2026-01-02"}]}}"#;
        let fault = BankHolidays::parse(scotland).unwrap_err();
        assert_eq!(fault, HolidayFault::Missing("England and Wales"));
        assert!(matches!(BankHolidays::parse("{"), Err(HolidayFault::Unreadable(_))));
    }
}
