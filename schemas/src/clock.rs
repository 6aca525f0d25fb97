//! How the clocks of a case stand, as its events say it.
//!
//! An event that moves clocks says in `clocks` how each that runs after it stands: by when, and from when on it is near. So what
//! anybody was told stays in the log, whatever bank holidays and rules say later; and a figure worked out at a position of the
//! log comes out the same again.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::QuestionId;
use crate::moment::{Day, Instant};

/// By when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// By the end of this day in London; for an earliest day, from its beginning; for a term, it is the last.
    On(Day),
    /// By this instant.
    At(Instant),
    /// It waits for somebody else: no day can be given.
    Suspended,
    /// There is no duty any more.
    Lapsed,
    /// There never was one.
    NotApplicable,
    /// The bank holidays of its time were not known when this was recorded. When they are, an event will say the day.
    Unknown,
}

const WORDS: [(Due, &str); 4] = [
    (Due::Suspended, "SUSPENDED"),
    (Due::Lapsed, "LAPSED"),
    (Due::NotApplicable, "NOT_APPLICABLE"),
    (Due::Unknown, "UNKNOWN"),
];

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(day) => day.fmt(f),
            Self::At(at) => at.fmt(f),
            word => {
                let word = WORDS
                    .iter()
                    .find(|(due, _)| due == word)
                    .map_or("UNKNOWN", |(_, word)| word);
                f.write_str(word)
            }
        }
    }
}

/// A text that says no due day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a day, an instant, SUSPENDED, LAPSED, NOT_APPLICABLE or UNKNOWN")]
pub struct NotDue;

impl FromStr for Due {
    type Err = NotDue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((due, _)) = WORDS.iter().find(|(_, word)| *word == text) {
            return Ok(*due);
        }
        let instant = || text.parse().map(Self::At).map_err(|_| NotDue);
        text.parse().map(Self::On).or_else(|_| instant())
    }
}

impl Serialize for Due {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Due {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Due {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Due".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = WORDS.iter().map(|(_, word)| *word).collect();
        let (day, instant) = (generator.subschema_for::<Day>(), generator.subschema_for::<Instant>());
        json_schema!({
            "description": "By when: the end of a day in London, an instant, or why there is none.",
            "anyOf": [day, instant, { "type": "string", "enum": words }],
        })
    }
}

/// How one clock of a case stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockStanding {
    /// The statutory clock's name, such as `foi`, the id of the council's own target, or `remedy_1`.
    pub clock: QuestionId,
    /// Whether it is the council's own target, behind which no law stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub target: bool,
    /// By when.
    pub due: Due,
    /// The day from which on it is near; absent where that is never said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near_on: Option<Day>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "2026-05-01",
            "2026-05-01T09:30:00Z",
            "SUSPENDED",
            "LAPSED",
            "NOT_APPLICABLE",
            "UNKNOWN",
        ] {
            assert_eq!(text.parse::<Due>().unwrap().to_string(), text);
        }
        assert_eq!("soon".parse::<Due>(), Err(NotDue));
    }
}
