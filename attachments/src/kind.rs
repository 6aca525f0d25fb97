//! What councils take, and how it is told from the bytes.
//!
//! Photos are taken in the forms that every browser shows and that can be stripped without being encoded again. HEIC is not: its
//! metadata stands inside the same box as the picture, and phones turn it into JPEG when a form asks for that. Office files are
//! not: they run macros and keep their authors; an answer goes out as PDF, a data set as CSV, which can be used again as section
//! 11(1A) of the Freedom of Information Act 2000 wants.

use schemas::command::MediaType;

/// The kind that a media type names; parameters such as a charset are passed over, and case does not matter (RFC 9110
/// section 8.3.1). `None` where it is not taken.
#[must_use]
pub fn kind_of_media_type(media_type: &str) -> Option<MediaType> {
    let name = media_type.split(';').next()?.trim();
    let mut all = MediaType::ALL.iter().copied();
    all.find(|kind| name.eq_ignore_ascii_case(kind.as_str()))
}

/// The kind that the bytes are: by their signature, or text where they are that throughout. `None` where it is not taken.
///
/// A signature counts at the very first byte only. PDF readers look further, and a file that is two kinds at once lives
/// on that.
#[must_use]
pub fn kind_of_bytes(bytes: &[u8]) -> Option<MediaType> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(MediaType::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(MediaType::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(MediaType::Webp),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some(MediaType::Pdf),
        other => is_text(other).then_some(MediaType::Text),
    }
}

/// Whether bytes that are of kind `found` may be sent as `declared`: a table is text to its bytes.
pub(crate) fn may_be_sent_as(found: MediaType, declared: MediaType) -> bool {
    declared == found || (declared == MediaType::Csv && found == MediaType::Text)
}

/// One byte for a kind, inside the sealed form. Never reused.
pub(crate) const fn code_of(kind: MediaType) -> u8 {
    match kind {
        MediaType::Jpeg => 1,
        MediaType::Png => 2,
        MediaType::Webp => 3,
        MediaType::Pdf => 4,
        MediaType::Text => 5,
        MediaType::Csv => 6,
    }
}

pub(crate) fn kind_of_code(code: u8) -> Option<MediaType> {
    MediaType::ALL.iter().copied().find(|kind| code_of(*kind) == code)
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
            (b"\xff\xd8\xff\xe0rest".as_slice(), Some(MediaType::Jpeg)),
            (b"\x89PNG\r\n\x1a\nrest", Some(MediaType::Png)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(MediaType::Webp)),
            (b"%PDF-1.7\n\xe2\xe3", Some(MediaType::Pdf)),
            ("Fünf Säcke\r\n\tvor der Tür".as_bytes(), Some(MediaType::Text)),
            (b"", None),
            (b"F\xfcnf S\xe4cke", None),
            (b"one\0two", None),
            (b" %PDF-1.7\n\xe2\xe3", None),
            (b"\0\0\0\x18ftypheic", None),
            (b"PK\x03\x04", None),
            (b"MZ\x90\0", None),
        ] {
            assert_eq!(kind_of_bytes(bytes), kind, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_media_type_is_read_without_its_parameters_and_case() {
        assert_eq!(kind_of_media_type("Text/Plain; charset=utf-8"), Some(MediaType::Text));
        assert_eq!(kind_of_media_type("image/heic"), None);
        assert_eq!(kind_of_media_type(""), None);
        for kind in MediaType::ALL {
            assert_eq!(kind_of_media_type(kind.as_str()), Some(*kind));
            assert_eq!(kind_of_code(code_of(*kind)), Some(*kind));
        }
    }

    #[test]
    fn a_table_is_text_but_text_is_no_table_and_no_photo() {
        assert!(may_be_sent_as(MediaType::Text, MediaType::Csv));
        assert!(!may_be_sent_as(MediaType::Csv, MediaType::Text));
        assert!(!may_be_sent_as(MediaType::Png, MediaType::Jpeg));
    }
}
