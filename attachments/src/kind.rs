//! What councils take, and how it is told from the bytes.

use serde::{Deserialize, Serialize};

/// A kind of file that is taken. In JSON it is its media type.
///
/// Photos are taken in the forms that every browser shows and that can be stripped without being encoded again. HEIC is not: its
/// metadata stands inside the same box as the picture, and phones turn it into JPEG when a form asks for that. Office files are
/// not: they run macros and keep their authors; an answer goes out as PDF, a data set as CSV, which can be used again as section
/// 11(1A) of the Freedom of Information Act 2000 wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A photo (ITU-T T.81, JFIF, Exif).
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// A picture or screenshot (W3C PNG, third edition).
    #[serde(rename = "image/png")]
    Png,
    /// A photo (RFC 9649).
    #[serde(rename = "image/webp")]
    Webp,
    /// A document (ISO 32000).
    #[serde(rename = "application/pdf")]
    Pdf,
    /// Text in UTF-8 without control characters.
    #[serde(rename = "text/plain")]
    Text,
    /// A table (RFC 4180). To the bytes it is text: only who sends it can say that it is a table.
    #[serde(rename = "text/csv")]
    Csv,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Jpeg, Self::Png, Self::Webp, Self::Pdf, Self::Text, Self::Csv];

    /// Its media type, as the event carries it and as a file is served.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain",
            Self::Csv => "text/csv",
        }
    }

    /// The kind that a media type names; parameters such as a charset are passed over, and case does not matter (RFC 9110
    /// section 8.3.1). `None` where it is not taken.
    #[must_use]
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        let name = media_type.split(';').next()?.trim();
        Self::ALL
            .into_iter()
            .find(|kind| name.eq_ignore_ascii_case(kind.media_type()))
    }

    /// The kind that the bytes are: by their signature, or text where they are that throughout. `None` where it is not taken.
    ///
    /// A signature counts at the very first byte only. PDF readers look further, and a file that is two kinds at once lives
    /// on that.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            other => is_text(other).then_some(Self::Text),
        }
    }

    /// Whether bytes that are of kind `found` may be sent as this one.
    #[must_use]
    pub fn takes(self, found: Self) -> bool {
        self == found || (self == Self::Csv && found == Self::Text)
    }

    /// One byte for it, inside the sealed form. Never reused.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Jpeg => 1,
            Self::Png => 2,
            Self::Webp => 3,
            Self::Pdf => 4,
            Self::Text => 5,
            Self::Csv => 6,
        }
    }

    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// UTF-8 without control characters but tab, line feed, form feed and carriage return.
fn is_text(bytes: &[u8]) -> bool {
    let odd = |character: char| character.is_control() && !matches!(character, '\t' | '\n' | '\x0c' | '\r');
    std::str::from_utf8(bytes).is_ok_and(|text| !text.is_empty() && !text.chars().any(odd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_from_the_bytes() {
        for (bytes, kind) in [
            (b"\xff\xd8\xff\xe0rest".as_slice(), Some(Kind::Jpeg)),
            (b"\x89PNG\r\n\x1a\nrest", Some(Kind::Png)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(Kind::Webp)),
            (b"%PDF-1.7\n\xe2\xe3", Some(Kind::Pdf)),
            ("Fünf Säcke\r\n\tvor der Tür".as_bytes(), Some(Kind::Text)),
            (b"", None),
            (b"F\xfcnf S\xe4cke", None),
            (b"one\0two", None),
            (b" %PDF-1.7\n\xe2\xe3", None),
            (b"\0\0\0\x18ftypheic", None),
            (b"PK\x03\x04", None),
            (b"MZ\x90\0", None),
        ] {
            assert_eq!(Kind::of_bytes(bytes), kind, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_media_type_is_read_without_its_parameters_and_case() {
        assert_eq!(Kind::of_media_type("Text/Plain; charset=utf-8"), Some(Kind::Text));
        assert_eq!(Kind::of_media_type("image/heic"), None);
        assert_eq!(Kind::of_media_type(""), None);
        for kind in Kind::ALL {
            assert_eq!(Kind::of_media_type(kind.media_type()), Some(kind));
            assert_eq!(Kind::of_code(kind.code()), Some(kind));
            assert_eq!(
                serde_json::to_value(kind).unwrap(),
                serde_json::Value::from(kind.media_type())
            );
        }
    }

    #[test]
    fn a_table_is_text_but_text_is_no_table_and_no_photo() {
        assert!(Kind::Csv.takes(Kind::Text));
        assert!(!Kind::Text.takes(Kind::Csv));
        assert!(!Kind::Jpeg.takes(Kind::Png));
    }
}
