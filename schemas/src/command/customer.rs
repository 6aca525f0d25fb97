//! Commands to a customer.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::seals;
use crate::ids::QuestionId;
use crate::personal::Personal;
use crate::text::{EmailAddress, Line, PhoneNumber, PostalAddress, Text};

/// Makes a customer known: the person whom cases are for.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterCustomer {
    /// How they are addressed, such as `Mrs`.
    #[serde(default)]
    pub title: Option<Personal<Line>>,
    /// Their name in full, as they write it.
    pub name: Personal<Line>,
    /// Where they live or get their post.
    #[serde(default)]
    pub address: Option<Personal<PostalAddress>>,
    /// Phone number.
    #[serde(default)]
    pub phone: Option<Personal<PhoneNumber>>,
    /// Email address.
    #[serde(default)]
    pub email: Option<Personal<EmailAddress>>,
}

/// Changes a customer's contact details: replaces what is given, removes what is `null`, leaves what is absent.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateContactDetails {
    /// How they are addressed, such as `Mrs`; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    pub title: Option<Option<Personal<Line>>>,
    /// Their name in full, as they write it. It can be changed, not removed.
    #[serde(default)]
    pub name: Option<Personal<Line>>,
    /// Where they live or get their post; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    pub address: Option<Option<Personal<PostalAddress>>>,
    /// Phone number; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    pub phone: Option<Option<Personal<PhoneNumber>>>,
    /// Email address; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    pub email: Option<Option<Personal<EmailAddress>>>,
}

/// Tells `null` (remove) from absent (leave).
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Records that a customer agreed to something.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordConsent {
    /// What they agree to, such as `email_updates`. One consent stands for each purpose.
    pub purpose: QuestionId,
    /// The council's wording, exactly as it was shown or read out.
    pub wording: Personal<Text>,
}

/// Records that a customer no longer agrees, whether or not they had agreed before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawConsent {
    /// The purpose of the consent that they withdraw.
    pub purpose: QuestionId,
}

seals!(RegisterCustomer: title, name, address, phone, email);
seals!(UpdateContactDetails: title, name, address, phone, email);
seals!(RecordConsent: wording);
seals!(WithdrawConsent:);
