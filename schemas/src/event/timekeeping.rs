//! What time brought.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::{ClockStanding, Due};
use crate::ids::QuestionId;

/// A clock of the case came near its day. Said once of each day that it is due by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClockApproaching {
    /// Which clock.
    pub clock: QuestionId,
    /// By when it is due.
    pub due: Due,
}

/// A clock of the case ran past its day. Said once of each day that it was due by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClockOverdue {
    /// Which clock.
    pub clock: QuestionId,
    /// By when it was due.
    pub due: Due,
}

/// The running clocks were worked out anew, and another day came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClocksRecomputed {
    /// The version of the bank holidays and rules that they were worked out with.
    pub calendar_version: String,
    /// The clocks that run from then on; none where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockStanding>,
}
