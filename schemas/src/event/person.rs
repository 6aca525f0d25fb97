//! What became known of a customer as a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{DeathSource, Precaution, PreferredMedium, RepresentativeCapacity};
use crate::ids::{CustomerId, OfficerId, ServiceName};
use crate::moment::Day;
use crate::personal::{Personal, SpecialCategory};
use crate::text::Text;

/// How the customer wants to be reached, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContactPreferencesSet {
    /// By what; by email where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<PreferredMedium>,
    /// What else to mind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wishes: Option<Personal<Text>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// What the customer needs, whole; nothing any more where it is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdjustmentsRecorded {
    /// What they need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<SpecialCategory<Text>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Somebody may act for the customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RepresentativeAuthorised {
    /// Who.
    pub representative: CustomerId,
    /// As what.
    pub capacity: RepresentativeCapacity,
    /// For which services; for all where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceName>,
    /// The last day of it.
    pub until: Day,
    /// What was seen of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Personal<Text>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Somebody may no longer act for the customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RepresentationEnded {
    /// Who.
    pub representative: CustomerId,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The customer died.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeathRecorded {
    /// When, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died_on: Option<Personal<Day>>,
    /// Who told of it.
    pub source: DeathSource,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The customer had not died: that was a mistake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeathRecordCorrected {
    /// Why, in the actor's words.
    pub reason: Personal<Text>,
}

/// A hazard was marked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HazardMarkerSet {
    /// Its number, counted from 1 within the customer's.
    pub number: u32,
    /// What whoever visits has to do.
    pub precaution: Precaution,
    /// Why.
    pub grounds: SpecialCategory<Text>,
    /// The officer who answers for it.
    pub owner: OfficerId,
    /// When its owner looks at it again.
    pub review_on: Day,
    /// Its last day.
    pub expires_on: Day,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// A hazard marker ended before its last day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HazardMarkerEnded {
    /// Its number.
    pub number: u32,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// This record is of the same person as another, which is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerMerged {
    /// The record that is kept.
    pub into: CustomerId,
    /// Why, in the actor's words.
    pub reason: Personal<Text>,
}

/// This record is of another person than the one that it had been merged into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerParted {
    /// The record that it had been merged into.
    pub from: CustomerId,
    /// Why, in the actor's words.
    pub reason: Personal<Text>,
}
