//! Money: whole pence, in pounds sterling.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// The most that one payment can be: a hundred thousand pounds. More is a mistake of somebody's.
pub const MOST_PENCE: u32 = 10_000_000;

/// An amount in pence, from nothing to [`MOST_PENCE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Pence(u32);

/// An amount that no payment can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected whole pence, at most {MOST_PENCE}")]
pub struct NotAnAmount;

impl Pence {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many.
    ///
    /// # Errors
    /// [`NotAnAmount`].
    pub const fn new(pence: u32) -> Result<Self, NotAnAmount> {
        if pence <= MOST_PENCE {
            Ok(Self(pence))
        } else {
            Err(NotAnAmount)
        }
    }

    /// How many.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Both together; the most there can be where that is more.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).min(MOST_PENCE))
    }

    /// What is left of it; nothing where the other is more.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// In pounds: `£12.50`.
impl fmt::Display for Pence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "£{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl<'de> Deserialize<'de> for Pence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pence = u32::deserialize(deserializer)?;
        Self::new(pence).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Pence {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pence".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": MOST_PENCE })
    }
}

/// A currency (ISO 4217). The council takes one, and a sender says which it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Pounds sterling.
    pub const POUNDS_STERLING: Self = Self(*b"GBP");

    /// Its code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Made of three ASCII capitals only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let code = <[u8; 3]>::try_from(text.as_bytes()).ok();
        let code = code.filter(|code| code.iter().all(u8::is_ascii_uppercase));
        code.map(Self)
            .ok_or_else(|| serde::de::Error::custom("expected a currency code, GBP"))
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_pence_within_bounds() {
        assert_eq!(serde_json::from_str::<Pence>("5500").unwrap().to_string(), "£55.00");
        assert_eq!(Pence::new(7).unwrap().to_string(), "£0.07");
        for wrong in ["-1", "1.5", "10000001", "\"5\""] {
            assert!(serde_json::from_str::<Pence>(wrong).is_err(), "{wrong}");
        }
        let (five, seven) = (Pence(5), Pence(7));
        assert_eq!(
            (five.less(seven), seven.less(five), five.plus(seven)),
            (Pence::ZERO, Pence(2), Pence(12))
        );
        assert_eq!(Pence(MOST_PENCE).plus(five), Pence(MOST_PENCE));
    }

    #[test]
    fn a_currency_is_three_capitals() {
        assert_eq!(
            serde_json::from_str::<Currency>("\"GBP\"").unwrap(),
            Currency::POUNDS_STERLING
        );
        for wrong in ["\"gbp\"", "\"£\"", "\"EURO\"", "1"] {
            assert!(serde_json::from_str::<Currency>(wrong).is_err(), "{wrong}");
        }
    }
}
