//! Text that people write, checked and normalised as it is read.
//!
//! Every text is trimmed and put into Unicode normalisation form C. None is empty, none holds a control character (a line
//! break and a tab may stand in [`Text`]), and each has a greatest length in characters. Errors never quote what was written.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Why a text was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but blanks.
    #[error("expected text that is not blank")]
    Blank,
    /// Longer than its kind allows.
    #[error("expected at most {0} characters")]
    TooLong(usize),
    /// A control character.
    #[error("expected text without control characters")]
    ControlCharacter,
    /// Not of the form that its kind asks for.
    #[error("expected {0}")]
    Form(&'static str),
}

fn normalise(text: &str, longest: usize, lines: bool) -> Result<String, TextError> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    // Most of what is written is composed already, and composing takes longer than looking.
    let text: String = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text.to_owned(),
        IsNormalized::No | IsNormalized::Maybe => text.nfc().collect(),
    };
    if text.is_empty() {
        return Err(TextError::Blank);
    }
    if text
        .chars()
        .any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\t')))
    {
        return Err(TextError::ControlCharacter);
    }
    if text.chars().count() > longest {
        return Err(TextError::TooLong(longest));
    }
    Ok(text)
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, longest $longest:literal, $schema:tt, |$text:ident| $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The most characters it may have.
            pub const LONGEST: usize = $longest;

            /// Checks and normalises.
            ///
            /// # Errors
            /// [`TextError`], which does not quote the text.
            pub fn new($text: &str) -> Result<Self, TextError> {
                $check.map(Self)
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

        /// Prints its length only: most texts are somebody's.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({} bytes)", stringify!($name), self.0.len())
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

mod code;
mod place;
pub use code::{AreaCode, BoundaryEdition, ContentKey, Digest, Usrn};
pub use place::{Place, PostalAddress};

text_type!(
    /// Text of several lines, such as a description.
    Text, longest 10_000,
    { "type": "string", "minLength": 1, "maxLength": 10000 },
    |text| normalise(text, Self::LONGEST, true)
);
text_type!(
    /// Where something is, in somebody's words: a few lines.
    Whereabouts, longest 1_000,
    { "type": "string", "minLength": 1, "maxLength": 1000 },
    |text| normalise(text, Self::LONGEST, true)
);
text_type!(
    /// The rule that a decision applies, as a code: an act, a regulation or a policy and its part, such as
    /// `si-2000-682:4(1)(b)`. Kept in clear, so it has no room for a sentence.
    RuleCode, longest 60,
    { "type": "string", "pattern": "^[a-z0-9][a-z0-9.:()/-]{0,59}$" },
    |text| rule(&normalise(text, Self::LONGEST, false)?)
);
text_type!(
    /// A payment provider's own reference. Never a card's number: what looks like one is not taken.
    PaymentRef, longest 64,
    { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" },
    |text| payment_ref(&normalise(text, Self::LONGEST, false)?)
);
text_type!(
    /// Text of one line.
    Line, longest 200,
    { "type": "string", "minLength": 1, "maxLength": 200 },
    |text| normalise(text, Self::LONGEST, false)
);
text_type!(
    /// An email address, as RFC 5321 section 4.1.2 allows for in practice: one `@`, a local part of at most 64 bytes, a domain of
    /// dot-separated labels. The domain is lower-cased.
    EmailAddress, longest 254,
    { "type": "string", "format": "email", "maxLength": 254 },
    |text| email(&normalise(text, Self::LONGEST, false)?)
);
text_type!(
    /// A phone number: digits, with an optional leading `+`; blanks, dots, hyphens and brackets are dropped, and so is the `(0)`
    /// that is not dialled after a country code. An extension (`ext 12`, `x12`) is kept as RFC 3966 writes it, `;ext=12`.
    PhoneNumber, longest 40,
    { "type": "string", "pattern": "^\\+?[0-9 ().-]{5,40}( ?(;ext=|x|[Ee]xt\\.?|[Ee]xtension) ?[0-9]{1,6})?$" },
    |text| phone(&normalise(text, Self::LONGEST, false)?)
);
text_type!(
    /// A postcode, upper-cased, with one blank. Not only British: cases come from other systems too.
    Postcode, longest 12,
    { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9 -]{1,11}$" },
    |text| postcode(&normalise(text, Self::LONGEST, false)?)
);
text_type!(
    /// A Unique Property Reference Number (GeoPlace): 1 to 12 digits.
    Uprn, longest 12,
    { "type": "string", "pattern": "^[0-9]{1,12}$" },
    |text| uprn(&normalise(text, Self::LONGEST, false)?)
);
text_type!(
    /// How the source of a command named its channel, such as `Mobile App`. Goes into an event's metadata in clear, so it has
    /// no room for a message.
    ChannelDetail, longest 40,
    { "type": "string", "pattern": "^[A-Za-z0-9 /&'.,:+()_-]{1,40}$" },
    |text| label(&normalise(text, Self::LONGEST, false)?)
);
text_type!(
    /// A name or number in another system: printable ASCII without blanks at the ends.
    ExternalId, longest 100,
    { "type": "string", "pattern": "^[!-~]([ -~]{0,98}[!-~])?$" },
    |text| printable(&normalise(text, Self::LONGEST, false)?)
);

fn email(text: &str) -> Result<String, TextError> {
    const FORM: TextError = TextError::Form("an email address");
    let (local, domain) = text.rsplit_once('@').ok_or(FORM)?;
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let local_part = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    if local_part && domain.contains('.') && domain.split('.').all(label) {
        Ok(format!("{local}@{}", domain.to_lowercase()))
    } else {
        Err(FORM)
    }
}

fn phone(text: &str) -> Result<String, TextError> {
    const FORM: TextError =
        TextError::Form("a phone number: 5 to 20 digits, with + before a country code, and `ext 12` for an extension");
    let lower = text.to_ascii_lowercase();
    let (number, extension) = match lower.split_once(";ext=").or_else(|| lower.split_once(['e', 'x'])) {
        None => (lower.as_str(), None),
        Some((number, extension)) => {
            let extension = extension.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '.');
            (number, Some(extension.trim()))
        }
    };
    let plus = if number.starts_with('+') { "+" } else { "" };
    let number = number[plus.len()..].trim_end();
    let number = if plus.is_empty() {
        number.to_owned()
    } else {
        number.replacen("(0)", "", 1)
    };
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let well_formed = number.chars().all(|c| c.is_ascii_digit() || " ().-".contains(c))
        && (5..=20).contains(&digits.len())
        && extension.is_none_or(|digits| (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    match extension {
        _ if !well_formed => Err(FORM),
        Some(extension) => Ok(format!("{plus}{digits};ext={extension}")),
        None => Ok(format!("{plus}{digits}")),
    }
}

fn postcode(text: &str) -> Result<String, TextError> {
    let text = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_ascii_uppercase();
    let well_formed = text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " -".contains(c));
    if well_formed {
        Ok(text)
    } else {
        Err(TextError::Form("a postcode"))
    }
}

/// Without the noughts that some systems put before it: one property has one number.
fn uprn(text: &str) -> Result<String, TextError> {
    let number = text.trim_start_matches('0');
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        Ok(number.to_owned())
    } else {
        Err(TextError::Form("a UPRN: 1 to 12 digits"))
    }
}

fn label(text: &str) -> Result<String, TextError> {
    if text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || " /&'.,:+()_-".contains(c))
    {
        Ok(text.to_owned())
    } else {
        Err(TextError::Form("letters, digits, blanks and / & ' . , : + ( ) _ -"))
    }
}

fn rule(text: &str) -> Result<String, TextError> {
    let well_formed = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".:()/-".contains(c));
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err(TextError::Form(
            "the code of a rule, such as si-2000-682:4(1)(b): lower-case letters, digits and . : ( ) / -",
        ))
    }
}

fn payment_ref(text: &str) -> Result<String, TextError> {
    let well_formed = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !well_formed {
        return Err(TextError::Form("a reference: letters, digits and . _ -"));
    }
    if is_card_number(text) {
        return Err(TextError::Form("the provider's reference, not the number of a card"));
    }
    Ok(text.to_owned())
}

/// Whether it looks like the number of a payment card: 13 to 19 digits with the check digit of ISO/IEC 7812 (Luhn).
fn is_card_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let only_digits = text.chars().all(|c| c.is_ascii_digit() || "._-".contains(c));
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    only_digits && (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

fn printable(text: &str) -> Result<String, TextError> {
    if text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(TextError::Form("printable ASCII"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_composed() {
        assert_eq!(Line::new("  Cafe\u{301} ").unwrap().as_str(), "Café");
        assert_eq!(Text::new("one\r\ntwo").unwrap().as_str(), "one\ntwo");
    }

    #[test]
    fn blanks_control_characters_and_great_lengths_are_refused() {
        assert_eq!(Line::new(" \t "), Err(TextError::Blank));
        assert_eq!(Line::new("a\nb"), Err(TextError::ControlCharacter));
        assert_eq!(Text::new("a\u{0}b"), Err(TextError::ControlCharacter));
        assert_eq!(Line::new(&"x".repeat(201)), Err(TextError::TooLong(200)));
    }

    #[test]
    fn forms_are_normalised() {
        assert_eq!(
            EmailAddress::new("Ada@Example.ORG").unwrap().as_str(),
            "Ada@example.org"
        );
        assert_eq!(
            PhoneNumber::new("+44 (0)20 7946-0018").unwrap().as_str(),
            "+442079460018",
            "the (0) is not dialled after a country code"
        );
        assert_eq!(PhoneNumber::new("020.7946.0018").unwrap().as_str(), "02079460018");
        for extension in [
            "020 7946 0018 ext 12",
            "020 7946 0018 x12",
            "02079460018;ext=12",
            "020 7946 0018 Extension 12",
        ] {
            assert_eq!(
                PhoneNumber::new(extension).unwrap().as_str(),
                "02079460018;ext=12",
                "{extension}"
            );
        }
        assert!(PhoneNumber::new("020 7946 0018 ext").is_err());
        assert_eq!(
            ChannelDetail::new("Self-Service (Web)").unwrap().as_str(),
            "Self-Service (Web)"
        );
        assert!(RuleCode::new("si-2000-682:4(1)(b)").is_ok());
        assert!(RuleCode::new("Mrs Nwosu").is_err());
        assert_eq!(Postcode::new("sw1a  1aa").unwrap().as_str(), "SW1A 1AA");
        for wrong in ["ada", "ada@example", "@example.org", "a b@example.org", "ada@-x.org"] {
            assert!(EmailAddress::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Uprn::new("010023456789").unwrap().as_str(), "10023456789");
        assert!(Uprn::new("100021421234").is_ok() && Uprn::new("000").is_err());
        assert!(Uprn::new("10 Downing St").is_err());
        assert!(PhoneNumber::new("1234").is_err());
        assert!(PhoneNumber::new("ring me").is_err());
    }

    #[test]
    fn a_card_s_number_is_no_reference() {
        for card in ["4111111111111111", "4111-1111-1111-1111", "378282246310005"] {
            assert!(PaymentRef::new(card).is_err(), "{card}");
        }
        for reference in [
            "4111111111111112",
            "hu20sqlact5260q2nanm0q8u93",
            "pay.4111111111111111x",
            "123456789012",
        ] {
            assert!(PaymentRef::new(reference).is_ok(), "{reference}");
        }
        assert!(PaymentRef::new("two words").is_err());
    }

    #[test]
    fn a_text_is_not_printed_by_debug() {
        assert_eq!(format!("{:?}", Line::new("secret").unwrap()), "Line(6 bytes)");
    }
}
