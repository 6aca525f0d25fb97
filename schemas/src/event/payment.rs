//! What a case costs, and what became of it. Of each payment: what is due is what was asked for, less concessions; what is
//! outstanding is what is due, less what was paid, written off or no longer asked for; never more goes back than came.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{OfficerId, PaymentNumber, ProviderName, QuestionId};
use crate::moment::Day;
use crate::money::Pence;
use crate::personal::Personal;
use crate::text::{ExternalId, PaymentRef, RuleCode, Text};

/// Something has to be paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentDue {
    /// Its number within the case, from 1.
    pub payment: PaymentNumber,
    /// What for: a fee of the catalogue, or what an officer asked for.
    pub what: QuestionId,
    /// How much, in pence.
    pub pence: Pence,
    /// Whether nothing goes on until it is paid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// The officer who asked for it; absent where the catalogue does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<OfficerId>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Less is due than was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConcessionGranted {
    /// The payment's number.
    pub payment: PaymentNumber,
    /// How much less, in pence.
    pub pence_off: Pence,
    /// How much is due now, in pence.
    pub pence_due: Pence,
    /// The officer who decided it.
    pub decided_by: OfficerId,
    /// The rule that was applied.
    pub rule: RuleCode,
    /// Why, in the officer's words.
    pub reason: Personal<Text>,
}

/// It was paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentReceived {
    /// The payment's number.
    pub payment: PaymentNumber,
    /// How much, in pence.
    pub pence: Pence,
    /// Through whom.
    pub provider: ProviderName,
    /// The provider's own reference.
    pub provider_ref: PaymentRef,
    /// The day on which it was paid.
    pub paid_on: Day,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Somebody tried to pay, and it failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentFailed {
    /// The payment's number.
    pub payment: PaymentNumber,
    /// Through whom.
    pub provider: ProviderName,
    /// The provider's own reference.
    pub provider_ref: PaymentRef,
    /// Why, by the provider's code.
    pub code: ExternalId,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Money is to go back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefundDecided {
    /// The payment's number.
    pub payment: PaymentNumber,
    /// How much, in pence.
    pub pence: Pence,
    /// The officer who decided it.
    pub decided_by: OfficerId,
    /// Why, in the officer's words.
    pub reason: Personal<Text>,
}

/// Money went back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefunded {
    /// The payment's number.
    pub payment: PaymentNumber,
    /// How much, in pence.
    pub pence: Pence,
    /// Through whom.
    pub provider: ProviderName,
    /// The provider's own reference of the refund.
    pub provider_ref: PaymentRef,
    /// The day on which it went back.
    pub refunded_on: Day,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// What was still due was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentWrittenOff {
    /// The payment's number.
    pub payment: PaymentNumber,
    /// How much, in pence.
    pub pence: Pence,
    /// The officer who decided it.
    pub decided_by: OfficerId,
    /// The rule that was applied.
    pub rule: RuleCode,
    /// Why, in the officer's words.
    pub reason: Personal<Text>,
}

/// What was still due is no longer asked for: the case ended before it was paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentDropped {
    /// The payment's number.
    pub payment: PaymentNumber,
    /// How much, in pence.
    pub pence: Pence,
}
