//! What is no text of people's: codes of areas and streets, editions of boundaries, digests and keys of files.

use super::*;

text_type!(
    /// The code of an area: nine characters of the Office for National Statistics' scheme, an upper-case letter for the
    /// country and eight digits, such as `E05009288`. The first three characters say what kind of area it is (`E05` a ward in
    /// England, `E01` a lower layer super output area).
    AreaCode, longest 9,
    { "type": "string", "pattern": "^[A-Z][0-9]{8}$" },
    |text| of_form(
        text,
        |text| text.len() == 9
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().skip(1).all(|b| b.is_ascii_digit()),
        "the code of an area, such as E05009288: an upper-case letter and 8 digits",
    )
);
text_type!(
    /// What a council calls one edition of its boundaries, such as `2025-05`: letters, digits and `. _ -`, at most 40,
    /// beginning with a letter or a digit.
    BoundaryEdition, longest 40,
    { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$" },
    |text| of_form(
        text,
        |text| text.len() <= Self::LONGEST
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
        "the name of an edition, such as 2025-05: at most 40 letters, digits and . _ -",
    )
);
text_type!(
    /// A Unique Street Reference Number (GeoPlace): 1 to 8 digits.
    Usrn, longest 8,
    { "type": "string", "pattern": "^[0-9]{1,8}$" },
    |text| of_form(
        text,
        |text| (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()),
        "a USRN: 1 to 8 digits",
    )
);

text_type!(
    /// A SHA-256 (FIPS 180-4), as 64 lower-case hexadecimal digits.
    Digest, longest 64,
    { "type": "string", "pattern": "^[0-9a-f]{64}$" },
    |text| of_form(
        text,
        |text| text.len() == Self::LONGEST && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
        "the 64 lower-case hexadecimal digits of a SHA-256",
    )
);
text_type!(
    /// The key of one file, as the unpadded base64url (RFC 4648 section 5) of its 32 bytes.
    ContentKey, longest 43,
    { "type": "string", "pattern": "^[A-Za-z0-9_-]{43}$" },
    |text| of_form(
        text,
        |text| text.len() == Self::LONGEST && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')),
        "the 43 letters of a key in base64url",
    )
);

impl Digest {
    /// Of the 32 bytes that SHA-256 gives.
    #[must_use]
    pub fn of_sha256(bytes: &[u8; 32]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn of_form(text: &str, is_one: fn(&str) -> bool, form: &'static str) -> Result<String, TextError> {
    let text = text.trim();
    is_one(text).then(|| text.to_owned()).ok_or(TextError::Form(form))
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
        assert!(BoundaryEdition::new("2025-05").is_ok());
        for wrong in ["", "-05", "May 2025", "a/b", &"x".repeat(41)] {
            assert!(BoundaryEdition::new(wrong).is_err(), "{wrong}");
        }
        let digest = Digest::of_sha256(&[0xab; 32]);
        assert_eq!(Digest::new(digest.as_str()), Ok(digest.clone()));
        for wrong in ["", &digest.as_str().to_uppercase(), &digest.as_str()[1..]] {
            assert!(Digest::new(wrong).is_err(), "{wrong}");
        }
        assert!(ContentKey::new(&"A".repeat(43)).is_ok() && ContentKey::new(&"+".repeat(43)).is_err());
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
        assert_eq!(format!("{:?}", Usrn::new("20401234").unwrap()), "Usrn(8 bytes)");
    }
}
