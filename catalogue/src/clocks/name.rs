//! The clocks by name, and what kind of day each leads to.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

macro_rules! clock_names {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident;)+) => {
        /// A clock, by the name that the catalogue and the command line use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ClockName {
            $($(#[$doc])* $variant,)+
        }

        impl ClockName {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What kind of day it leads to.
            #[must_use]
            pub const fn kind(self) -> ClockKind {
                match self {
                    $(Self::$variant => ClockKind::$kind,)+
                }
            }
        }
    };
}

clock_names! {
    /// A request under the Freedom of Information Act 2000.
    Foi = "foi", Duty;
    /// The internal review of one.
    FoiReview = "foi_review", Duty;
    /// A request under the Environmental Information Regulations 2004.
    Eir = "eir", Duty;
    /// The internal review of one.
    EirReview = "eir_review", Duty;
    /// A request of a person about their own data (UK GDPR).
    Sar = "sar", Duty;
    /// The acknowledgement of a data protection complaint.
    DpComplaintAck = "dp_complaint_ack", Duty;
    /// The acknowledgement of a complaint at stage 1.
    ComplaintS1Ack = "complaint_s1_ack", Duty;
    /// The answer to a complaint at stage 1.
    ComplaintS1 = "complaint_s1", Duty;
    /// The acknowledgement of a complaint at stage 2.
    ComplaintS2Ack = "complaint_s2_ack", Duty;
    /// The answer to a complaint at stage 2.
    ComplaintS2 = "complaint_s2", Duty;
    /// The decision on an application for a blue badge.
    BlueBadge = "blue_badge", Target;
    /// The last day on which a blue badge is valid.
    BlueBadgeExpiry = "blue_badge_expiry", Term;
    /// The registration of a birth, which the informant owes.
    Birth = "birth", OthersDuty;
    /// The registration of a death, which the informant owes.
    Death = "death", OthersDuty;
    /// The first day on which a marriage schedule can be issued.
    MarriageNotice = "marriage_notice", EarliestDay;
    /// The council's own target for a request type.
    ServiceTarget = "service_target", Target;
}

/// What kind of day a clock leads to. Only a duty and a target become overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// The council has to, by law or by the code that it is bound to.
    Duty,
    /// The council means to.
    Target,
    /// Somebody else has to.
    OthersDuty,
    /// Nothing can be done before.
    EarliestDay,
    /// Something ends.
    Term,
}

impl fmt::Display for ClockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ClockName {
    type Err = UnknownClock;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|clock| clock.as_str() == text);
        found.copied().ok_or_else(|| UnknownClock(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for ClockName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A name that no clock has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no clock {0}; the clocks are {names}", names = names())]
pub struct UnknownClock(pub String);

fn names() -> String {
    let names: Vec<&str> = ClockName::ALL.iter().map(|clock| clock.as_str()).collect();
    names.join(", ")
}

impl JsonSchema for ClockName {
    fn schema_name() -> Cow<'static, str> {
        "ClockName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|clock| clock.as_str()).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

/// What a target is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetUnit {
    /// Working days, by the bank holidays of England and Wales.
    WorkingDays,
    /// Days.
    CalendarDays,
    /// Hours, which lead to an instant.
    Hours,
}
