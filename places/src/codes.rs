//! Codes and numbers that others give: areas, streets, and the versions of boundaries.
//!
//! Each is checked as it is read. Errors say what was expected and never quote what was written.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

/// Why a code was not taken: what its kind looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct CodeError(&'static str);

macro_rules! code_type {
    ($(#[$doc:meta])* $name:ident, $form:literal, $schema:tt, |$text:ident| $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Trims and checks.
            ///
            /// # Errors
            /// [`CodeError`], which does not quote the text.
            pub fn new(text: &str) -> Result<Self, CodeError> {
                let $text = text.trim();
                if $check { Ok(Self($text.to_owned())) } else { Err(CodeError($form)) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = CodeError;

            fn from_str(text: &str) -> Result<Self, CodeError> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

code_type!(
    /// The code of an area: nine characters of the Office for National Statistics' scheme, an upper-case letter for the
    /// country and eight digits, such as `E05009288`. The first three characters say what kind of area it is (`E05` a ward in
    /// England, `E01` a lower layer super output area).
    AreaCode, "the code of an area, such as E05009288: an upper-case letter and 8 digits",
    { "type": "string", "pattern": "^[A-Z][0-9]{8}$" },
    |text| text.len() == 9
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().skip(1).all(|b| b.is_ascii_digit())
);
code_type!(
    /// What a council calls one edition of its boundaries, such as `2025-05`: letters, digits and `. _ -`, at most 40,
    /// beginning with a letter or a digit.
    VersionName, "the name of a version, such as 2025-05: at most 40 letters, digits and . _ -",
    { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$" },
    |text| text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
);
code_type!(
    /// The SHA-256 of a text: 64 lower-case hexadecimal digits.
    TextDigest, "a SHA-256 of 64 lower-case hexadecimal digits",
    { "type": "string", "pattern": "^[0-9a-f]{64}$" },
    |text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
);
code_type!(
    /// A Unique Street Reference Number (GeoPlace): 1 to 8 digits.
    Usrn, "a USRN: 1 to 8 digits",
    { "type": "string", "pattern": "^[0-9]{1,8}$" },
    |text| (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
);

impl TextDigest {
    /// That of a text, byte for byte.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// An area is no secret: it is what stands in clear beside a sealed place.
impl fmt::Debug for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AreaCode({})", self.0)
    }
}

impl fmt::Debug for VersionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionName({})", self.0)
    }
}

impl fmt::Debug for TextDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextDigest({})", self.0)
    }
}

/// Prints its length only: a street is part of where somebody lives.
impl fmt::Debug for Usrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Usrn({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_its_own_form() {
        assert_eq!(AreaCode::new(" E05009288 ").unwrap().as_str(), "E05009288");
        for wrong in [
            "",
            "e05009288",
            "E0500928",
            "E050092881",
            "E0500928X",
            "E0500928٣",
            "éE500928",
        ] {
            assert!(AreaCode::new(wrong).is_err(), "{wrong}");
        }
        assert!(VersionName::new("2025-05").is_ok());
        for wrong in ["", "-05", "May 2025", "a/b", &"x".repeat(41)] {
            assert!(VersionName::new(wrong).is_err(), "{wrong}");
        }
        // FIPS 180-4's own example.
        let digest = TextDigest::of("abc");
        assert!(digest.as_str().starts_with("ba7816bf8f01cfea"), "{digest}");
        assert_eq!(TextDigest::new(digest.as_str()), Ok(digest.clone()));
        assert!(TextDigest::new(&digest.as_str().to_uppercase()).is_err());
        assert!(TextDigest::new(&digest.as_str()[1..]).is_err());
        assert_eq!(Usrn::new(" 20401234 ").unwrap().as_str(), "20401234");
        for wrong in ["", " ", "123456789", "2040 1234", "High St", "-1", "٣"] {
            assert!(Usrn::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reading_checks_too_and_quotes_nothing() {
        let error = serde_json::from_str::<Usrn>("\"12 High Street\"").unwrap_err();
        assert!(error.to_string().contains("expected a USRN: 1 to 8 digits"), "{error}");
        assert!(!error.to_string().contains("High"), "{error}");
        assert!(serde_json::from_str::<AreaCode>("\"E05\"").is_err());
    }

    #[test]
    fn a_street_is_not_printed_by_debug() {
        assert_eq!(format!("{:?}", Usrn::new("20401234").unwrap()), "Usrn(8 bytes)");
    }
}
