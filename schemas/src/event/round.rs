//! What is known of a collection round on a day.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::RoundStatus;
use crate::ids::{ClientName, ContractorCode, OutcomeCode, RoundName};
use crate::moment::Day;
use crate::personal::Personal;
use crate::text::{Text, Uprn};

/// What the contractor had told of a collection when somebody reported it missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CollectionLookedUp {
    /// The client in whose name the contractor speaks.
    pub contractor: ClientName,
    /// The round.
    pub round: RoundName,
    /// The day, in London.
    pub day: Day,
    /// What was to be collected.
    pub what: ContractorCode,
    /// How far the round was; absent where that was not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<RoundStatus>,
    /// Why nothing was collected at the property, where the crew said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<ExceptionFound>,
}

/// Why nothing was collected at a property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExceptionFound {
    /// Why, by the contractor's code.
    pub code: ContractorCode,
    /// What the code means.
    pub meaning: String,
    /// The outcome that it points to, where it does. An officer decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_to: Option<OutcomeCode>,
}

/// How many collections the round has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduledCollectionsRecorded {
    /// The client in whose name the contractor speaks.
    pub contractor: ClientName,
    /// The round.
    pub round: RoundName,
    /// The day, in London.
    pub day: Day,
    /// How many, by what is collected.
    pub collections: BTreeMap<ContractorCode, u32>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// How far the round is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoundStatusRecorded {
    /// The client in whose name the contractor speaks.
    pub contractor: ClientName,
    /// The round.
    pub round: RoundName,
    /// The day, in London.
    pub day: Day,
    /// How far.
    pub status: RoundStatus,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Something was not collected at a property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CollectionExceptionRecorded {
    /// The client in whose name the contractor speaks.
    pub contractor: ClientName,
    /// The round.
    pub round: RoundName,
    /// The day, in London.
    pub day: Day,
    /// The property.
    pub uprn: Personal<Uprn>,
    /// What was not collected.
    pub what: ContractorCode,
    /// Why, by the contractor's code.
    pub code: ContractorCode,
    /// What the catalogue's code map says of that code.
    pub meaning: String,
    /// The outcome of a report on it that the code points to, where it does. An officer decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_to: Option<OutcomeCode>,
    /// What the crew said beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<Text>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}
