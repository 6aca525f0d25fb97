//! The sealed form of a personal value: what is written in events, for ever.
//!
//! A sealed value carries all that is needed to open it except the key, so a copy of it (in a read model, an export, a
//! later event) opens wherever it stands. In JSON it is an object with one member, `{"sealed": "<token>"}`; the token is
//! base64url without padding (RFC 4648 section 5) of these bytes:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format version, 1 |
//! | 1 | category: 1 personal, 2 special category |
//! | 16 | key id |
//! | 16 | person sealed for; nil where the case has no customer |
//! | 16 | stream |
//! | 16 | command id |
//! | 1 | length of the field's name |
//! | n | the field's name, a JSON pointer into the command's data, UTF-8 |
//! | 32 | key commitment |
//! | 24 | nonce |
//! | rest | ciphertext of the value's JSON text, then the 16-byte tag |
//!
//! All bytes before the nonce are authenticated with the ciphertext. The `vault` crate writes and opens them; nobody else
//! can.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What protection a personal value needs (UK GDPR articles 6 and 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Name, address, contact details, place, free text.
    Personal,
    /// Health and the other kinds of article 9.
    SpecialCategory,
}

impl Category {
    /// The name that the vault's tables use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::SpecialCategory => "special_category",
        }
    }
}

/// A sealed value: opaque to everyone but the vault.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    #[serde(rename = "sealed")]
    token: String,
}

impl Sealed {
    /// Wraps a token that the vault made.
    #[must_use]
    pub const fn from_token(token: String) -> Self {
        Self { token }
    }

    /// The token, base64url.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}

impl JsonSchema for Sealed {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sealed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "properties": { "sealed": { "type": "string", "pattern": "^[A-Za-z0-9_-]+$" } },
            "required": ["sealed"],
            "additionalProperties": false,
            "description": "A personal value, sealed: readable only with the vault's key."
        })
    }
}

/// What stands where a value may be sealed: told apart while it is read, since an event has nothing else, and to build a [`Value`]
/// of it first takes as long as all the rest.
pub(crate) enum SealedOr {
    /// An object with the one member `sealed`, a text.
    Sealed(Sealed),
    /// Anything else.
    Other(Value),
}

impl<'de> Deserialize<'de> for SealedOr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SealedOrVisitor)
    }
}

struct SealedOrVisitor;

/// What is no object is read as a [`Value`] reads it.
macro_rules! other {
    ($($visit:ident($type:ty)),+) => {
        $(fn $visit<E: serde::de::Error>(self, value: $type) -> Result<Self::Value, E> {
            Value::deserialize(value.into_deserializer()).map(SealedOr::Other)
        })+
    };
}

impl<'de> Visitor<'de> for SealedOrVisitor {
    type Value = SealedOr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    other!(
        visit_bool(bool),
        visit_i64(i64),
        visit_u64(u64),
        visit_f64(f64),
        visit_str(&str),
        visit_string(String)
    );

    fn visit_unit<E>(self) -> Result<SealedOr, E> {
        Ok(SealedOr::Other(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<SealedOr, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(seq)).map(SealedOr::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SealedOr, A::Error> {
        let Some(first) = map.next_key::<String>()? else {
            return Ok(SealedOr::Other(Value::Object(Map::new())));
        };
        let value: Value = map.next_value()?;
        let second = map.next_key::<String>()?;
        let value = match (value, &second) {
            (Value::String(token), None) if first == "sealed" => {
                return Ok(SealedOr::Sealed(Sealed::from_token(token)));
            }
            (value, _) => value,
        };
        let mut object = Map::from_iter([(first, value)]);
        if let Some(second) = second {
            object.insert(second, map.next_value()?);
            object.extend(Map::deserialize(MapAccessDeserializer::new(map))?);
        }
        Ok(SealedOr::Other(Value::Object(object)))
    }
}

/// A key that a command brings to its append because the vault had none for this place: wrapped, of no use to anyone until
/// the append admits it.
#[derive(Clone, PartialEq, Eq)]
pub struct MintedKey {
    /// The row's id.
    pub id: crate::KeyId,
    /// The person whose data it seals; none where the case has no customer.
    pub person: Option<crate::CustomerId>,
    /// The stream it is for.
    pub stream: crate::AggregateId,
    /// What it may seal.
    pub category: Category,
    /// The key, wrapped by the key-encryption key.
    pub wrapped: Vec<u8>,
    /// Which key-encryption key wrapped it.
    pub wrapped_by: String,
}

impl fmt::Debug for MintedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedKey")
            .field("id", &self.id)
            .field("stream", &self.stream)
            .field("category", &self.category)
            .finish()
    }
}

/// One keyed hash by which a person, or a case, can be found without personal data being readable, or that there is none any more.
#[derive(Clone, PartialEq, Eq)]
pub struct LookupHash {
    /// What was hashed: `email`, `phone`, `postcode`, …
    pub kind: &'static str,
    /// Keyed hash of the normalised value (HMAC-SHA256); none where there is no such value any more, which takes the stream's
    /// hash of this kind away.
    pub hash: Option<[u8; 32]>,
    /// What it leads to: a customer, or a case.
    pub leads_to: crate::AggregateId,
}

impl fmt::Debug for LookupHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookupHash")
            .field("kind", &self.kind)
            .field("leads_to", &self.leads_to)
            .finish_non_exhaustive()
    }
}

/// That some of an owner's keys are another's: a case was moved to whose it is, or two records are of one person. What they seal
/// stays as it is; it goes when its owner is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyMove {
    /// Who owned them; none of a case without a customer.
    pub from: Option<crate::CustomerId>,
    /// Who owns them from now on.
    pub to: crate::CustomerId,
    /// Only those of this stream: a case is moved.
    pub stream: Option<crate::AggregateId>,
    /// What was this person's before the records were merged, or was made for them since: they are parted.
    pub person: Option<crate::CustomerId>,
}

/// What one command asks of the vault in its append (`vault.admit`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAdmission {
    /// Keys that it brings.
    pub minted: Vec<MintedKey>,
    /// Keys that it sealed under and that must still be there, minted ones not among them.
    pub used: Vec<crate::KeyId>,
    /// Look-up hashes that replace those of the same stream and kind, or take them away.
    pub lookups: Vec<LookupHash>,
    /// Keys that somebody else owns from now on.
    pub moves: Vec<KeyMove>,
}

impl KeyAdmission {
    /// Whether there is nothing to admit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.minted.is_empty() && self.used.is_empty() && self.lookups.is_empty() && self.moves.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_with_the_one_member_is_sealed() {
        let sealed = |json: &str| matches!(serde_json::from_str(json), Ok(SealedOr::Sealed(_)));
        assert!(sealed(r#"{"sealed":"AQ"}"#));
        for json in [
            r#"{"sealed":1}"#,
            r#"{"sealed":"AQ","more":1}"#,
            r#"{"more":1,"sealed":"AQ"}"#,
            r#"{"Sealed":"AQ"}"#,
            r#"["sealed","AQ"]"#,
            r#""sealed""#,
        ] {
            assert!(!sealed(json), "{json}");
        }
    }

    #[test]
    fn whatever_else_stands_there_is_read_whole() {
        for json in [
            "null",
            "true",
            "-7",
            "18446744073709551615",
            "0.1",
            r#""text""#,
            r#"[1,[2,{"three":4}]]"#,
            "{}",
            r#"{"sealed":{"sealed":"AQ"}}"#,
            r#"{"sealed":"AQ","sealed":"AB","b":[null],"a":{"c":1.5}}"#,
        ] {
            let expected: Value = serde_json::from_str(json).unwrap();
            match serde_json::from_str(json).unwrap() {
                SealedOr::Other(value) => assert_eq!(value, expected, "{json}"),
                SealedOr::Sealed(_) => panic!("{json} is sealed"),
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        for json in [r#"{"sealed":"AQ""#, r#"{"sealed""#, r#"{"a":1,"b""#, "[1"] {
            assert!(serde_json::from_str::<SealedOr>(json).is_err(), "{json}");
        }
    }
}
