//! What happened to a customer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::customer::given;
use crate::ids::QuestionId;
use crate::personal::Personal;
use crate::text::{EmailAddress, Line, PhoneNumber, PostalAddress, Text};

/// A customer was made known: the person whom cases are for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerRegistered {
    /// How they are addressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Personal<Line>>,
    /// Their name.
    pub name: Personal<Line>,
    /// Where they live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Personal<PostalAddress>>,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<PhoneNumber>>,
    /// Email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Personal<EmailAddress>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// Contact details changed: what is absent stayed, what is `null` was removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContactDetailsUpdated {
    /// How they are addressed.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub title: Option<Option<Personal<Line>>>,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal<Line>>,
    /// Where they live.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub address: Option<Option<Personal<PostalAddress>>>,
    /// Phone number.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub phone: Option<Option<Personal<PhoneNumber>>>,
    /// Email address.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub email: Option<Option<Personal<EmailAddress>>>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The customer agreed to something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentRecorded {
    /// The purpose, such as `email_updates`.
    pub purpose: QuestionId,
    /// The council's wording, as it was shown or read out. Sealed: nothing keeps a sender from putting a name into it.
    pub wording: Personal<Text>,
    /// Anything said beside it, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}

/// The customer no longer agrees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentWithdrawn {
    /// The purpose, such as `email_updates`.
    pub purpose: QuestionId,
    /// Why, where they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Text>>,
}
