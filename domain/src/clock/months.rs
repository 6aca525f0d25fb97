//! Months and years of the calendar.

use schemas::moment::Day;
use time::{Date, Duration, Month};

use super::ClockError;

/// The day so many days after.
pub(crate) fn days_after(day: Day, days: i64) -> Result<Day, ClockError> {
    day.0
        .checked_add(Duration::days(days))
        .map(Day)
        .ok_or(ClockError::TooLong)
}

/// The same date so many months later; where that month has no such date, its last day. This is how a period *from* or *after*
/// a day ends.
pub(super) fn months_after(day: Day, months: u16) -> Result<Day, ClockError> {
    let (year, month) = month_after(day, months)?;
    let length = month.length(year);
    date(year, month, day.0.day().min(length))
}

/// The last day of a period of so many months that *begins with* a day: the day before the same date; where that month has no
/// such date, its last day.
pub(crate) fn last_of_months_beginning_with(day: Day, months: u16) -> Result<Day, ClockError> {
    let (year, month) = month_after(day, months)?;
    let length = month.length(year);
    if day.0.day() > length {
        return date(year, month, length);
    }
    days_after(date(year, month, day.0.day())?, -1)
}

fn month_after(day: Day, months: u16) -> Result<(i32, Month), ClockError> {
    let count = i32::from(u8::from(day.0.month())) - 1 + i32::from(months);
    let month = u8::try_from(count % 12 + 1)
        .ok()
        .and_then(|month| Month::try_from(month).ok());
    Ok((day.0.year() + count / 12, month.ok_or(ClockError::TooLong)?))
}

fn date(year: i32, month: Month, day: u8) -> Result<Day, ClockError> {
    Date::from_calendar_date(year, month, day)
        .map(Day)
        .map_err(|_| ClockError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_after_has_the_same_date_or_ends_with_the_month() {
        for (from, months, to) in [
            ("2026-07-15", 1, "2026-08-15"),
            ("2026-12-31", 1, "2027-01-31"),
            ("2027-01-31", 1, "2027-02-28"),
            ("2028-01-31", 1, "2028-02-29"),
            ("2026-11-30", 3, "2027-02-28"),
            ("2026-10-15", 15, "2028-01-15"),
        ] {
            assert_eq!(months_after(day(from), months).unwrap(), day(to), "{from}");
        }
    }

    #[test]
    fn months_that_begin_with_a_day_end_the_day_before_its_date() {
        for (from, months, to) in [
            ("2026-10-14", 3, "2027-01-13"),
            ("2026-12-01", 3, "2027-02-28"),
            ("2027-03-01", 3, "2027-05-31"),
            ("2026-11-30", 3, "2027-02-28"),
            ("2026-06-03", 36, "2029-06-02"),
            ("2028-02-29", 36, "2031-02-28"),
        ] {
            assert_eq!(
                last_of_months_beginning_with(day(from), months).unwrap(),
                day(to),
                "{from}"
            );
        }
    }
}
