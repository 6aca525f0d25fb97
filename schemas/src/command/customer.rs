//! Commands to a customer.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::QuestionId;
use crate::personal::{OpenField, Personal, SealFieldError, SealFields};
use crate::sealed::Sealed;
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

type Seal<'s, E> = &'s mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>;

fn seal_optional<T: Serialize, E>(
    value: Option<&mut Personal<T>>,
    pointer: &str,
    seal: Seal<'_, E>,
) -> Result<(), SealFieldError<E>> {
    value.map_or(Ok(()), |value| value.seal_at(pointer, seal))
}

impl SealFields for RegisterCustomer {
    fn seal_fields<E>(&mut self, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        seal_optional(self.title.as_mut(), "/title", seal)?;
        self.name.seal_at("/name", seal)?;
        seal_optional(self.address.as_mut(), "/address", seal)?;
        seal_optional(self.phone.as_mut(), "/phone", seal)?;
        seal_optional(self.email.as_mut(), "/email", seal)
    }
}

impl SealFields for UpdateContactDetails {
    fn seal_fields<E>(&mut self, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        seal_optional(self.title.as_mut().and_then(Option::as_mut), "/title", seal)?;
        seal_optional(self.name.as_mut(), "/name", seal)?;
        seal_optional(self.address.as_mut().and_then(Option::as_mut), "/address", seal)?;
        seal_optional(self.phone.as_mut().and_then(Option::as_mut), "/phone", seal)?;
        seal_optional(self.email.as_mut().and_then(Option::as_mut), "/email", seal)
    }
}

impl SealFields for RecordConsent {
    fn seal_fields<E>(&mut self, seal: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        self.wording.seal_at("/wording", seal)
    }
}

impl SealFields for WithdrawConsent {
    fn seal_fields<E>(&mut self, _: Seal<'_, E>) -> Result<(), SealFieldError<E>> {
        Ok(())
    }
}
