//! The reference that people quote, such as `WAS-7Q4K-2M9X`.
//!
//! Three letters for the service, seven characters that stand for a number, one check character. The alphabet has 29
//! characters: no letter or digit that looks like another (no `0 1 I L O S U`). 29 is a prime, so the weighted sum in the check
//! character finds every single wrong character and every two that were swapped. The number comes from a database sequence;
//! a permutation of `0..29^7` spreads it, so that neighbours do not look alike and none is given twice.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

const ALPHABET: &[u8; 29] = b"23456789ABCDEFGHJKMNPQRTVWXYZ";
const BASE: u64 = 29;
const DIGITS: usize = 7;
/// How many references one prefix can have: 29^7.
pub const CAPACITY: u64 = 17_249_876_309;
/// Coprime with 29, near the golden section of the capacity, so that successive numbers land far apart.
const STRIDE: u128 = 10_661_009_887;
const OFFSET: u128 = 4_815_162_342;

/// A reference with a valid check character, in its written form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Reference(String);

/// Why a text is not a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not of the form `ABC-XXXX-XXXX`.
    #[error("a reference looks like WAS-7Q4K-2M9X")]
    Form,
    /// The check character does not fit: a character is wrong, or two are swapped.
    #[error("a reference with a slip in it: check it character by character")]
    Check,
    /// The sequence has run past the last reference.
    #[error("all references of this form are used")]
    Exhausted,
}

impl Reference {
    /// The reference of the `number`th case (counted from 1 by the database sequence) of the service with this prefix of
    /// three capital letters.
    ///
    /// # Errors
    /// [`ReferenceError::Form`] for another prefix, [`ReferenceError::Exhausted`] past [`CAPACITY`].
    pub fn of_number(prefix: &str, number: i64) -> Result<Self, ReferenceError> {
        let number = u64::try_from(number)
            .ok()
            .filter(|n| *n < CAPACITY)
            .ok_or(ReferenceError::Exhausted)?;
        let spread = (u128::from(number) * STRIDE + OFFSET) % u128::from(CAPACITY);
        let mut rest = u64::try_from(spread).map_err(|_| ReferenceError::Exhausted)?;
        let mut digits = [0_u8; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit = u8::try_from(rest % BASE).unwrap_or_default();
            rest /= BASE;
        }
        Self::assemble(prefix, &digits)
    }

    fn assemble(prefix: &str, digits: &[u8; DIGITS]) -> Result<Self, ReferenceError> {
        if prefix.len() != 3 || !prefix.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(ReferenceError::Form);
        }
        let character = |digit: u8| char::from(ALPHABET[usize::from(digit)]);
        let mut text = format!("{prefix}-");
        for (place, digit) in digits.iter().enumerate() {
            text.push(character(*digit));
            if place == 3 {
                text.push('-');
            }
        }
        text.push(character(check_digit(prefix, digits)));
        Ok(Self(text))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The weights 2 to 11 differ and none is a multiple of 29; the check character itself weighs 1.
fn check_digit(prefix: &str, digits: &[u8; DIGITS]) -> u8 {
    let letters = prefix.bytes().map(|b| u32::from(b - b'A'));
    let sum: u32 = letters
        .chain(digits.iter().map(|d| u32::from(*d)))
        .zip(2_u32..)
        .map(|(value, weight)| value * weight)
        .sum();
    u8::try_from((29 - sum % 29) % 29).unwrap_or_default()
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// Takes lower case, blanks and missing hyphens, as people type them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain: Vec<u8> = text
            .bytes()
            .filter(|b| !matches!(b, b'-' | b' '))
            .map(|b| b.to_ascii_uppercase())
            .collect();
        if plain.len() != 3 + DIGITS + 1 {
            return Err(ReferenceError::Form);
        }
        let prefix = std::str::from_utf8(&plain[..3]).map_err(|_| ReferenceError::Form)?;
        let mut digits = [0_u8; DIGITS];
        for (digit, byte) in digits.iter_mut().zip(&plain[3..]) {
            let place = ALPHABET.iter().position(|c| c == byte).ok_or(ReferenceError::Form)?;
            *digit = u8::try_from(place).map_err(|_| ReferenceError::Form)?;
        }
        let reference = Self::assemble(prefix, &digits)?;
        if reference.0.as_bytes().last() == plain.last() {
            Ok(reference)
        } else {
            Err(ReferenceError::Check)
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Reference {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reference".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{3}-[2-9A-HJKMNP-RTV-Z]{4}-[2-9A-HJKMNP-RTV-Z]{4}$" })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_capacity_is_the_alphabet_to_the_seventh_and_the_stride_permutes_it() {
        assert_eq!(CAPACITY, BASE.pow(7));
        assert_ne!(STRIDE % u128::from(BASE), 0);
        let first: HashSet<_> = (1..20_000).map(|n| Reference::of_number("WAS", n).unwrap()).collect();
        assert_eq!(first.len(), 19_999);
    }

    #[test]
    fn a_reference_reads_back_as_people_type_it() {
        let reference = Reference::of_number("WAS", 1).unwrap();
        assert_eq!(reference.as_str(), "WAS-X2H8-EACZ");
        let typed = reference.as_str().to_lowercase().replace('-', " ");
        assert_eq!(typed.parse::<Reference>().unwrap(), reference);
        assert_eq!("WAS-0000-0000".parse::<Reference>(), Err(ReferenceError::Form));
    }

    proptest! {
        #[test]
        fn every_single_slip_is_found(number in 0_i64..17_249_876_309, place in 0_usize..13, other in 0_usize..29) {
            let reference = Reference::of_number("HIG", number).unwrap();
            let mut slip = reference.as_str().as_bytes().to_vec();
            prop_assume!(place > 3 && slip[place] != b'-' && slip[place] != ALPHABET[other]);
            slip[place] = ALPHABET[other];
            prop_assert_eq!(std::str::from_utf8(&slip).unwrap().parse::<Reference>(), Err(ReferenceError::Check));
        }

        #[test]
        fn every_swap_is_found(number in 0_i64..17_249_876_309, one in 4_usize..13, two in 4_usize..13) {
            let reference = Reference::of_number("HIG", number).unwrap();
            let mut slip = reference.as_str().as_bytes().to_vec();
            prop_assume!(slip[one] != slip[two] && slip[one] != b'-' && slip[two] != b'-');
            slip.swap(one, two);
            prop_assert_eq!(std::str::from_utf8(&slip).unwrap().parse::<Reference>(), Err(ReferenceError::Check));
        }
    }
}
