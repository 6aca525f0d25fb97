//! Facts about collection rounds: there before anybody reports anything. A round on a day is a stream of its own, which the first
//! fact about it brings into being; its id follows from contractor, round and day, so the envelope has no `subject`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::command::words;
use crate::ids::{ContractorCode, RoundName};
use crate::moment::Day;
use crate::personal::Personal;
use crate::text::{Text, Uprn};

/// How many collections a round has on a day, by what is collected. It takes the place of what was said before. The contractor says
/// so; missed collections are counted against it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordScheduledCollections {
    /// The round.
    pub round: RoundName,
    /// The day, in London.
    pub day: Day,
    /// How many, by what is collected: a word such as `refuse`, as the catalogue's questions have it.
    pub collections: BTreeMap<ContractorCode, u32>,
}

words!(
    /// How far a round is.
    RoundStatus {
        /// It has not begun.
        NotStarted = "not_started",
        /// The crew is out.
        UnderWay = "under_way",
        /// Every street was done, but for the exceptions.
        Finished = "finished",
        /// It was broken off: what is left is done another day.
        BrokenOff = "broken_off",
    }
);

/// How far a round is. The contractor says so.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRoundStatus {
    /// The round.
    pub round: RoundName,
    /// The day, in London.
    pub day: Day,
    /// How far it is.
    pub status: RoundStatus,
}

/// Something was not collected at a property, and why. The crew says so, as it happens.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordCollectionException {
    /// The round.
    pub round: RoundName,
    /// The day, in London.
    pub day: Day,
    /// The property.
    pub uprn: Personal<Uprn>,
    /// What was not collected, such as `refuse`.
    pub what: ContractorCode,
    /// Why, by the contractor's code, which the catalogue's code map knows.
    pub code: ContractorCode,
    /// What there is to say beside the code.
    #[serde(default)]
    pub note: Option<Personal<Text>>,
}

seals!(RecordScheduledCollections:);
seals!(RecordRoundStatus:);
seals!(RecordCollectionException: uprn, note);
