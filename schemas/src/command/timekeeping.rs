//! Commands by which time comes in. Only a system of the council's sends them: its timekeeper.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::clock::Due;
use crate::command::words;
use crate::ids::QuestionId;

words!(
    /// What a clock has come to.
    ClockMark {
        /// Its day is near.
        Approaching = "approaching",
        /// Its day is over.
        Overdue = "overdue",
    }
);

/// Says that a clock of a case has come near its day, or past it. Where it no longer matters (the case is closed, the day was
/// moved) nothing happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordClock {
    /// Which clock.
    pub clock: QuestionId,
    /// The day or instant that it was due by.
    pub due: Due,
    /// What it has come to.
    pub mark: ClockMark,
}

/// Works out the running clocks of a case anew, because the bank holidays or the rules were brought up to date. A day that was
/// told before does not come sooner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecomputeClocks {}

seals!(RecordClock:);
seals!(RecomputeClocks:);
