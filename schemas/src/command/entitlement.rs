//! Commands to entitlements: what was granted with a term, such as a blue badge, a garden waste subscription or an assisted
//! collection. An entitlement outlives the case that granted it, and is renewed by others.

use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::command::words;
use crate::ids::{CaseId, EntitlementId};
use crate::moment::Day;
use crate::personal::Personal;
use crate::text::{ExternalId, Uprn};

/// Grants what a case was decided to grant. Each case grants or renews one entitlement, once; the catalogue says which, and for how long.
/// What was granted by mistake is ended as that, and then granted anew in its place.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantEntitlement {
    /// The case: its outcome, or the decision on it, grants what was applied for, and nothing has to be paid first. The entitlement is
    /// its customer's.
    pub case_id: CaseId,
    /// The entitlement whose place it takes: one that this case granted, and that was ended as granted by mistake.
    #[serde(default)]
    pub replaces: Option<EntitlementId>,
    /// The first day.
    pub starts_on: Day,
    /// The last day, no later than the catalogue's term ends; that day where it is absent.
    #[serde(default)]
    pub ends_on: Option<Day>,
    /// What it is known by, such as the number on a badge.
    #[serde(default)]
    pub number: Option<Personal<ExternalId>>,
    /// The property that it belongs to, where it belongs to one.
    #[serde(default)]
    pub property: Option<Personal<Uprn>>,
    /// How many, such as bins.
    #[serde(default)]
    pub quantity: Option<NonZeroU16>,
}

/// Grants it for another term, from a day on that follows the end of the last or lies after it: who renews late was without it
/// meanwhile.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewEntitlement {
    /// The case that grants the renewal, of the same customer.
    pub case_id: CaseId,
    /// The first day of the new term: after the last one ends and, where the renewal was asked for after that, no sooner than it was.
    /// Where it is absent: the day after the last one ends, or today where that is over.
    #[serde(default)]
    pub starts_on: Option<Day>,
    /// The last day, no later than the catalogue's term ends; that day where it is absent.
    #[serde(default)]
    pub ends_on: Option<Day>,
    /// What it is known by from then on; where it is absent, as before.
    #[serde(default)]
    pub number: Option<Personal<ExternalId>>,
    /// The property that it belongs to from then on; where it is absent, as before.
    #[serde(default)]
    pub property: Option<Personal<Uprn>>,
    /// How many from then on; where it is absent, as before.
    #[serde(default)]
    pub quantity: Option<NonZeroU16>,
}

/// Changes it within its term: what is given replaces what was there, what is absent stays.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEntitlement {
    /// What it is known by, such as the number of the badge that replaces a lost one.
    #[serde(default)]
    pub number: Option<Personal<ExternalId>>,
    /// The property that it belongs to.
    #[serde(default)]
    pub property: Option<Personal<Uprn>>,
    /// How many.
    #[serde(default)]
    pub quantity: Option<NonZeroU16>,
}

words!(
    /// Why an entitlement ended before its term.
    EntitlementEnding {
        /// Its holder gave it up.
        GivenUp = "given_up",
        /// Its holder moved away.
        MovedAway = "moved_away",
        /// Its holder died.
        Died = "died",
        /// It does not apply any more: an officer decides.
        NoLongerEligible = "no_longer_eligible",
        /// It was misused: an officer decides.
        Withdrawn = "withdrawn",
        /// It should never have been granted: an officer decides.
        GrantedByMistake = "granted_by_mistake",
    }
);

impl EntitlementEnding {
    /// Whether somebody decides about its holder: then that is an officer, who says why.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::NoLongerEligible | Self::Withdrawn | Self::GrantedByMistake)
    }
}

/// Ends it before its term.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndEntitlement {
    /// Why.
    pub why: EntitlementEnding,
    /// The last day on which it held; today where it is absent, and it had begun.
    #[serde(default)]
    pub ended_on: Option<Day>,
}

words!(
    /// What the term of an entitlement has come to.
    TermMark {
        /// It can be renewed from now on.
        RenewalDue = "renewal_due",
        /// It is over.
        Expired = "expired",
    }
);

/// Says what the term has come to. Only a system of the council's sends it: its timekeeper. Where it no longer matters nothing happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordTerm {
    /// The last day of the term that it is about.
    pub ends_on: Day,
    /// What it has come to.
    pub mark: TermMark,
}

seals!(GrantEntitlement: number, property);
seals!(RenewEntitlement: number, property);
seals!(ChangeEntitlement: number, property);
seals!(EndEntitlement:);
seals!(RecordTerm:);
