//! Finding a person, or a case, without personal data being readable: keyed hashes of normalised values.

use std::fmt;

use hmac::Mac;
use schemas::AggregateId;
use schemas::sealed::LookupHash;

use crate::error::Broken;
use crate::secret::{SECRET_BYTES, Secret};

/// How many people one look-up gives at most: a postcode has more than an officer reads through.
pub const FIND_AT_MOST: u32 = 200;

const LOOKUP_LABEL: &[u8] = b"caseledger.vault.lookup.1\0";

/// What a person, or a case, can be found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LookupKind {
    /// Email address, whole, in lower case: people don't write theirs twice alike.
    Email,
    /// Phone number: its digits, a British one in its national form.
    Phone,
    /// Postcode, in upper case without blanks.
    Postcode,
    /// What a case asks for, and the cell that its place is in: as the caller writes them.
    Near,
    /// What an entitlement is, and the property that it belongs to: as the caller writes them.
    Property,
}

impl LookupKind {
    /// The name that the tables use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Postcode => "postcode",
            Self::Near => "near",
            Self::Property => "property",
        }
    }

    /// The value as it is hashed; none when nothing is left of it.
    fn normalise(self, value: &str) -> Option<String> {
        let normal = match self {
            Self::Email => value.trim().to_lowercase(),
            Self::Phone => normal_phone(value),
            Self::Postcode => value
                .chars()
                .filter(|c| !c.is_whitespace())
                .collect::<String>()
                .to_uppercase(),
            Self::Near | Self::Property => value.to_owned(),
        };
        (!normal.is_empty()).then_some(normal)
    }
}

/// `+44 (0)20 7946 0018`, `0044 20 7946 0018` and `020 7946 0018` are one number.
fn normal_phone(value: &str) -> String {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let international = if value.trim_start().starts_with('+') {
        Some(digits.as_str())
    } else {
        digits.strip_prefix("00")
    };
    match international {
        None => digits,
        Some(number) => match number.strip_prefix("44") {
            Some(british) => format!("0{}", british.trim_start_matches('0')),
            None => format!("+{number}"),
        },
    }
}

/// One key per kind, so that equal values of two kinds don't have equal hashes.
pub(crate) struct LookupKeys {
    email: Secret,
    phone: Secret,
    postcode: Secret,
    near: Secret,
    property: Secret,
}

impl LookupKeys {
    pub(crate) fn derive(root: &Secret) -> Result<Self, Broken> {
        let of = |kind: LookupKind| root.derive(&[LOOKUP_LABEL, kind.as_str().as_bytes()]);
        Ok(Self {
            email: of(LookupKind::Email)?,
            phone: of(LookupKind::Phone)?,
            postcode: of(LookupKind::Postcode)?,
            near: of(LookupKind::Near)?,
            property: of(LookupKind::Property)?,
        })
    }

    /// The keyed hash of a value; none when nothing is left of it once it is normalised.
    pub(crate) fn hash(&self, kind: LookupKind, value: &str) -> Option<[u8; SECRET_BYTES]> {
        let key = match kind {
            LookupKind::Email => &self.email,
            LookupKind::Phone => &self.phone,
            LookupKind::Postcode => &self.postcode,
            LookupKind::Near => &self.near,
            LookupKind::Property => &self.property,
        };
        let normal = zeroize::Zeroizing::new(kind.normalise(value)?);
        Some(key.mac().chain_update(normal.as_bytes()).finalize().into_bytes().into())
    }

    /// What an append admits so that a stream can be found by `value`.
    pub(crate) fn lookup(&self, kind: LookupKind, value: &str, leads_to: AggregateId) -> Option<LookupHash> {
        self.hash(kind, value).map(|hash| LookupHash {
            kind: kind.as_str(),
            hash: Some(hash),
            leads_to,
        })
    }
}

impl fmt::Debug for LookupKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKeys([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> LookupKeys {
        LookupKeys::derive(&Secret::from_slice(&[3; 32]).unwrap()).unwrap()
    }

    #[test]
    fn ways_of_writing_one_value_meet() {
        let same = |kind, ways: &[&str]| {
            let first = keys().hash(kind, ways[0]).unwrap();
            ways.iter().all(|way| keys().hash(kind, way) == Some(first))
        };
        assert!(same(LookupKind::Email, &["Ada@Example.org", " ada@example.org "]));
        assert!(same(
            LookupKind::Phone,
            &[
                "020 7946 0018",
                "+44 (0)20 7946 0018",
                "0044 20-7946-0018",
                "+442079460018"
            ]
        ));
        assert!(same(LookupKind::Postcode, &["SW1A 1AA", "sw1a1aa"]));
    }

    #[test]
    fn other_values_and_kinds_don_t_meet() {
        let hash = |kind, value| keys().hash(kind, value).unwrap();
        assert_ne!(
            hash(LookupKind::Phone, "+33 1 99 00 12 34"),
            hash(LookupKind::Phone, "33 1 99 00 12 34")
        );
        assert_ne!(hash(LookupKind::Phone, "12345"), hash(LookupKind::Postcode, "12345"));
        let others = LookupKeys::derive(&Secret::from_slice(&[4; 32]).unwrap()).unwrap();
        assert_ne!(
            others.hash(LookupKind::Phone, "12345"),
            keys().hash(LookupKind::Phone, "12345")
        );
    }

    #[test]
    fn nothing_is_found_by_nothing() {
        assert_eq!(keys().hash(LookupKind::Phone, "none"), None);
        assert_eq!(keys().hash(LookupKind::Email, "  "), None);
    }
}
