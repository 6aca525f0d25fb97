//! What was granted with a term, and what became of it.

use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::EntitlementEnding;
use crate::ids::{CaseId, CustomerId, EntitlementId, EntitlementName, OfficerId, RequestTypeCode, ServiceName};
use crate::moment::Day;
use crate::personal::Personal;
use crate::reference::Reference;
use crate::text::{ExternalId, Text, Uprn};

/// An entitlement was granted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntitlementGranted {
    /// What was granted, as the catalogue calls it, such as `garden-waste`.
    pub entitlement: EntitlementName,
    /// The service that it belongs to.
    pub service: ServiceName,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The case that granted it.
    pub case_id: CaseId,
    /// That case's reference.
    pub reference: Reference,
    /// That case's request type.
    pub request_type: RequestTypeCode,
    /// The entitlement whose place it takes, which the same case had granted by mistake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<EntitlementId>,
    /// The first day.
    pub starts_on: Day,
    /// The last day.
    pub ends_on: Day,
    /// From which day on it can be renewed, and its holder is reminded.
    pub renew_from: Day,
    /// What it is known by, such as the number on a badge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Personal<ExternalId>>,
    /// The property that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<Personal<Uprn>>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<NonZeroU16>,
    /// How many others like it stood at the same property. An officer looks at that; nothing waits for it. Which they are is looked up while
    /// it is asked: the log would tell it for ever, of people who were erased too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_at_property: Option<NonZeroU16>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// It was granted for another term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntitlementRenewed {
    /// The case that granted the renewal.
    pub case_id: CaseId,
    /// That case's reference.
    pub reference: Reference,
    /// That case's request type.
    pub request_type: RequestTypeCode,
    /// The first day of the new term.
    pub starts_on: Day,
    /// The last day of the new term.
    pub ends_on: Day,
    /// From which day on it can be renewed, and its holder is reminded.
    pub renew_from: Day,
    /// The first of the days on which it did not hold, between the terms; absent where one follows the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapsed_from: Option<Day>,
    /// What it is known by from then on; where it is absent, as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Personal<ExternalId>>,
    /// The property that it belongs to from then on; where it is absent, as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<Personal<Uprn>>,
    /// How many others like it stood at its property then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_at_property: Option<NonZeroU16>,
    /// How many from then on; where it is absent, as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<NonZeroU16>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// It was changed within its term: what is absent stayed as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntitlementChanged {
    /// What it is known by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Personal<ExternalId>>,
    /// The property that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<Personal<Uprn>>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<NonZeroU16>,
    /// How many others like it stood at the new property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_at_property: Option<NonZeroU16>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// It was ended before its term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntitlementEnded {
    /// Why.
    pub why: EntitlementEnding,
    /// The last day on which it held; absent where it had not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Day>,
    /// The officer who decided, where it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<OfficerId>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The time has come to renew it. Said once of each term, and not of somebody who died.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntitlementRenewalDue {
    /// What it is.
    pub entitlement: EntitlementName,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The case that granted the term that ends.
    pub case_id: CaseId,
    /// That case's reference.
    pub reference: Reference,
    /// That case's request type.
    pub request_type: RequestTypeCode,
    /// The last day of that term.
    pub ends_on: Day,
}

/// Its term is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntitlementExpired {
    /// What it is.
    pub entitlement: EntitlementName,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The case that granted the term that ended.
    pub case_id: CaseId,
    /// That case's reference.
    pub reference: Reference,
    /// That case's request type.
    pub request_type: RequestTypeCode,
    /// The last day of that term.
    pub ends_on: Day,
}
