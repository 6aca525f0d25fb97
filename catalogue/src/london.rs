//! London's calendar and clock: what day an instant falls on for the council, and how people read it.

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{self, AmbiguousOffset, TimeZone};
use schemas::moment::{Day, TimeOfDay};
use time::{Date, Month, OffsetDateTime};

/// The London day of an instant.
#[must_use]
pub fn day_of(at: OffsetDateTime) -> Day {
    day(civil(at).date()).unwrap_or(Day(at.date()))
}

/// The instant at which a day begins in London.
#[must_use]
pub fn beginning_of(day: Day) -> OffsetDateTime {
    let Day(date) = day;
    let midnight = date.midnight().assume_utc();
    // In Greenwich's winter it is midnight there; in London's summer an hour before.
    let an_hour_before = midnight - time::Duration::HOUR;
    if day_of(an_hour_before) == day {
        an_hour_before
    } else {
        midnight
    }
}

/// The instant at which London's clocks show a time on a day: the first, where they show it twice; none, where they skip it.
#[must_use]
pub fn instant_of(day: Day, time: TimeOfDay) -> Option<OffsetDateTime> {
    let civil = civil::Date::new(
        i16::try_from(day.0.year()).ok()?,
        i8::try_from(u8::from(day.0.month())).ok()?,
        i8::try_from(day.0.day()).ok()?,
    );
    let minute = time.minute_of_day();
    let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
    let shown = civil.ok()?.at(hour, minute, 0, 0);
    let ambiguous = time_zone().to_ambiguous_zoned_datetime(shown);
    if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
        return None;
    }
    let at = ambiguous.earlier().ok()?.timestamp();
    OffsetDateTime::from_unix_timestamp(at.as_second()).ok()
}

/// A day for people: `Friday 1 May 2026`.
#[must_use]
pub fn day_in_words(day: Day) -> String {
    let Day(date) = day;
    format!("{} {} {} {}", date.weekday(), date.day(), date.month(), date.year())
}

/// An instant for people, as London's clocks show it: `9:30am on Friday 1 May 2026`.
#[must_use]
pub fn instant_in_words(at: OffsetDateTime) -> String {
    let civil = civil(at);
    let (hour, half) = match civil.hour() {
        0 => (12, "am"),
        hour @ 1..=11 => (hour, "am"),
        12 => (12, "pm"),
        hour => (hour - 12, "pm"),
    };
    format!("{hour}:{:02}{half} on {}", civil.minute(), day_in_words(day_of(at)))
}

/// What London's clocks and calendars show.
fn civil(at: OffsetDateTime) -> civil::DateTime {
    // An OffsetDateTime of the years that a case can fall in is always a Timestamp.
    let timestamp = Timestamp::from_nanosecond(at.unix_timestamp_nanos()).unwrap_or(Timestamp::UNIX_EPOCH);
    time_zone().to_datetime(timestamp)
}

/// The zone database is compiled in; without it, Greenwich is right for half the year.
fn time_zone() -> TimeZone {
    TimeZone::get("Europe/London").unwrap_or_else(|_| TimeZone::fixed(tz::offset(0)))
}

fn day(date: civil::Date) -> Option<Day> {
    let month = Month::try_from(u8::try_from(date.month()).ok()?).ok()?;
    Date::from_calendar_date(i32::from(date.year()), month, u8::try_from(date.day()).ok()?)
        .ok()
        .map(Day)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_summer_day_begins_an_hour_before_greenwich_s() {
        assert_eq!(day_of(datetime!(2026-06-30 22:59:59 UTC)).to_string(), "2026-06-30");
        assert_eq!(day_of(datetime!(2026-06-30 23:00 UTC)).to_string(), "2026-07-01");
        assert_eq!(day_of(datetime!(2026-12-31 23:59:59 UTC)).to_string(), "2026-12-31");
    }

    #[test]
    fn a_day_begins_at_london_s_midnight() {
        for (day, begins) in [
            ("2026-01-15", datetime!(2026-01-15 00:00 UTC)),
            ("2026-07-01", datetime!(2026-06-30 23:00 UTC)),
            ("2026-03-29", datetime!(2026-03-29 00:00 UTC)),
            ("2026-10-25", datetime!(2026-10-24 23:00 UTC)),
            ("2026-10-26", datetime!(2026-10-26 00:00 UTC)),
        ] {
            assert_eq!(beginning_of(day.parse().unwrap()), begins, "{day}");
        }
    }

    #[test]
    fn the_nights_on_which_the_clocks_change_have_one_day_each() {
        assert_eq!(
            instant_in_words(datetime!(2026-03-29 00:59 UTC)),
            "12:59am on Sunday 29 March 2026"
        );
        assert_eq!(
            instant_in_words(datetime!(2026-03-29 01:00 UTC)),
            "2:00am on Sunday 29 March 2026"
        );
        assert_eq!(
            instant_in_words(datetime!(2026-10-25 00:30 UTC)),
            "1:30am on Sunday 25 October 2026"
        );
        assert_eq!(
            instant_in_words(datetime!(2026-10-25 01:30 UTC)),
            "1:30am on Sunday 25 October 2026"
        );
    }

    #[test]
    fn noon_and_midnight_are_named_as_people_do() {
        assert_eq!(
            instant_in_words(datetime!(2026-01-05 12:05 UTC)),
            "12:05pm on Monday 5 January 2026"
        );
        assert_eq!(
            instant_in_words(datetime!(2026-01-05 00:05 UTC)),
            "12:05am on Monday 5 January 2026"
        );
        assert_eq!(
            instant_in_words(datetime!(2026-01-05 17:40 UTC)),
            "5:40pm on Monday 5 January 2026"
        );
    }
}
