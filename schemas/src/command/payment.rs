//! Commands about what a case costs: what is due, what was paid and failed, what goes back. Never a card's number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seals;
use crate::ids::{PaymentNumber, ProviderName, QuestionId};
use crate::money::{Currency, Pence};
use crate::text::{ExternalId, PaymentRef, RuleCode};

/// Says that something has to be paid for a case, beside what the catalogue asks for by itself. An officer who decides such cases does.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestPayment {
    /// What for, such as `second_part`.
    pub what: QuestionId,
    /// How much, in pence.
    pub pence: Pence,
    /// Whether nothing goes on until it is paid.
    #[serde(default)]
    pub waits: bool,
}

/// Asks for less than is due, or for nothing: a concession. An officer who decides such cases does, by a rule, and gives the reason.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["payment", "pence", "rule", "reason"]))]
pub struct GrantConcession {
    /// Which of the case's payments.
    pub payment: PaymentNumber,
    /// How much there is to pay now, in pence.
    pub pence: Pence,
    /// The rule that was applied.
    pub rule: RuleCode,
}

/// Records that a payment was made: all of what is due. The provider's system says so, or an officer who took it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPayment {
    /// Which of the case's payments.
    pub payment: PaymentNumber,
    /// How much was paid, in pence.
    pub pence: Pence,
    /// In which currency: pounds sterling.
    pub currency: Currency,
    /// Through whom, such as `gov-pay`.
    pub provider: ProviderName,
    /// The provider's own reference: each is taken once. Never a card's number.
    pub provider_ref: PaymentRef,
}

/// Records that somebody tried to pay, and it failed. It is still due.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPaymentFailure {
    /// Which of the case's payments.
    pub payment: PaymentNumber,
    /// Through whom.
    pub provider: ProviderName,
    /// The provider's own reference.
    pub provider_ref: PaymentRef,
    /// Why, by the provider's code.
    pub code: ExternalId,
}

/// Decides that money goes back, in part or all of it. An officer who decides such cases does, and gives the reason.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["payment", "pence", "reason"]))]
pub struct DecideRefund {
    /// Which of the case's payments.
    pub payment: PaymentNumber,
    /// How much goes back, in pence.
    pub pence: Pence,
}

/// Records that money went back, as it was decided. The provider's system says so, or an officer who gave it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRefund {
    /// Which of the case's payments.
    pub payment: PaymentNumber,
    /// How much went back, in pence.
    pub pence: Pence,
    /// In which currency.
    pub currency: Currency,
    /// Through whom.
    pub provider: ProviderName,
    /// The provider's own reference of the refund: each is taken once.
    pub provider_ref: PaymentRef,
}

/// Gives up what is still due. An officer who decides such cases does, by a rule, and gives the reason.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["payment", "rule", "reason"]))]
pub struct WriteOffPayment {
    /// Which of the case's payments.
    pub payment: PaymentNumber,
    /// The rule that was applied.
    pub rule: RuleCode,
}

seals!(RequestPayment:);
seals!(GrantConcession:);
seals!(RecordPayment:);
seals!(RecordPaymentFailure:);
seals!(DecideRefund:);
seals!(RecordRefund:);
seals!(WriteOffPayment:);
