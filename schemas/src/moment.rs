//! Instants and days as the contract writes them.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

/// The years that a council's records speak of. What lies outside is a slip of the pen, and some of it no database can hold.
pub const YEARS: std::ops::RangeInclusive<i32> = 1800..=2200;

/// Why a text is no instant or day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not exist, is written otherwise, or lies outside the years {} to {}", YEARS.start(), YEARS.end())]
pub struct OutOfTime;

fn within(year: i32) -> Result<(), OutOfTime> {
    if YEARS.contains(&year) { Ok(()) } else { Err(OutOfTime) }
}

/// An instant, in whole microseconds (what Postgres keeps); written in UTC as RFC 3339 says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(OffsetDateTime);

impl Instant {
    /// Drops what is finer than a microsecond.
    #[must_use]
    pub fn new(at: OffsetDateTime) -> Self {
        // It can't be put into UTC only in the hours at the ends of what `time` can hold; no clock shows these.
        let at = at.checked_to_offset(UtcOffset::UTC).unwrap_or(at);
        let nanosecond = at.nanosecond() / 1_000 * 1_000;
        Self(at.replace_nanosecond(nanosecond).unwrap_or(at))
    }

    /// As the `time` crate has it, in UTC.
    #[must_use]
    pub const fn get(self) -> OffsetDateTime {
        self.0
    }
}

impl From<OffsetDateTime> for Instant {
    fn from(at: OffsetDateTime) -> Self {
        Self::new(at)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Instant {
    type Err = OutOfTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| OutOfTime)?;
        within(at.year()).map(|()| Self::new(at))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| {
            serde::de::Error::custom(
                "expected an instant of the years 1800 to 2200 as RFC 3339 writes it, such as 2026-04-01T09:30:00Z",
            )
        })
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// A day of the calendar, `YYYY-MM-DD`. Which instant it begins at is London's affair, not its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub Date);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(DAY).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Day {
    type Err = OutOfTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The format itself would take a sign.
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(OutOfTime);
        }
        let day = Date::parse(text, DAY).map_err(|_| OutOfTime)?;
        within(day.year()).map(|()| Self(day))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| {
            serde::de::Error::custom("expected a day that exists, of the years 1800 to 2200, written YYYY-MM-DD")
        })
    }
}

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

/// A time of day by the minute, as a clock in London shows it, `HH:MM`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// So many minutes after midnight; none where that is another day.
    #[must_use]
    pub const fn of_minute(minute: u16) -> Option<Self> {
        if minute < 24 * 60 { Some(Self(minute)) } else { None }
    }

    /// How many minutes after midnight.
    #[must_use]
    pub const fn minute_of_day(self) -> u16 {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for TimeOfDay {
    type Err = OutOfTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (hours, minutes) = text.split_once(':').ok_or(OutOfTime)?;
        let number = |part: &str, below: u16| {
            let two_digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            let number = part.parse::<u16>().ok().filter(|number| two_digits && *number < below);
            number.ok_or(OutOfTime)
        };
        Ok(Self(number(hours, 24)? * 60 + number(minutes, 60)?))
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| serde::de::Error::custom("expected a time of day, written HH:MM"))
    }
}

impl JsonSchema for TimeOfDay {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeOfDay".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_utc_to_the_microsecond() {
        let at: Instant = "2026-07-01T10:00:00.123456789+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-07-01T09:00:00.123456Z");
    }

    #[test]
    fn what_no_record_can_hold_is_refused() {
        for wrong in [
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+01:00",
            "1066-10-14T09:00:00Z",
            "-2026-01-01T00:00:00Z",
        ] {
            assert_eq!(wrong.parse::<Instant>(), Err(OutOfTime), "{wrong}");
        }
        for wrong in ["-9999-01-01", "+2026-01-01", "0001-01-01", "2201-01-01"] {
            assert_eq!(wrong.parse::<Day>(), Err(OutOfTime), "{wrong}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        assert!("2026-02-29".parse::<Day>().is_err());
        assert_eq!("2028-02-29".parse::<Day>().unwrap().to_string(), "2028-02-29");
        assert!("2028-2-9".parse::<Day>().is_err());
    }
}
