//! Files that are uploaded.
//!
//! The first byte chooses the media type that is said, and whether a PNG's checksums are set right first, since no mutation hits
//! them. Held, whatever the bytes:
//!
//! - A file is admitted as the kind that was said, or refused with a code and a pointer.
//! - The hashes are those of what came and of what is kept. What is no photo is kept to the byte.
//! - A photo that was stripped is stripped no further, and holds no part that carries words, times, places or previews.

#![no_main]

use attachments::{AdmitError, NoScanner, admit, hash_of};
use libfuzzer_sys::{Corpus, fuzz_target};
use schemas::command::MediaType;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime");
}

const PNG_SIGNATURE: usize = 8;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((choice, file)) = bytes.split_first() else {
        return Corpus::Reject;
    };
    let kinds = MediaType::ALL.len();
    let said = MediaType::ALL[usize::from(*choice) % kinds];
    let mut file = file.to_vec();
    if said == MediaType::Png && usize::from(*choice) >= kinds {
        set_checksums(&mut file);
    }
    match admitted(&file, said) {
        Ok(kept) => {
            if !matches!(said, MediaType::Jpeg | MediaType::Png | MediaType::Webp) {
                assert!(kept == file, "what is no photo was changed");
                return Corpus::Keep;
            }
            let again = admitted(&kept, said).expect("what was admitted once");
            assert!(again == kept, "a photo was stripped further");
            match said {
                MediaType::Jpeg => jpeg_is_bare(&kept),
                MediaType::Png => png_is_bare(&kept),
                _ => webp_is_bare(&kept),
            }
        }
        Err(AdmitError::Refused(refusal)) => {
            assert!(!refusal.code().is_empty() && !refusal.to_string().is_empty());
            assert!(refusal.pointer().is_empty() || refusal.pointer().starts_with('/'));
        }
        Err(error) => panic!("{error}"),
    }
    Corpus::Keep
});

fn admitted(file: &[u8], said: MediaType) -> Result<Vec<u8>, AdmitError> {
    let admitted = RUNTIME.with(|runtime| runtime.block_on(admit(file.to_vec(), said.as_str(), &NoScanner)))?;
    let content = admitted.content();
    assert_eq!(content.kind(), said);
    assert!(*admitted.received() == hash_of(file), "another hash of what came");
    assert!(
        *content.hash() == hash_of(content.bytes()),
        "another hash of what is kept"
    );
    Ok(content.bytes().to_vec())
}

/// Each chunk's checksum, as far as there are whole chunks.
fn set_checksums(file: &mut [u8]) {
    let mut at = PNG_SIGNATURE;
    while let Some(&[a, b, c, d]) = file.get(at..at + 4).and_then(|length| length.first_chunk()) {
        let Some(end) = usize::try_from(u32::from_be_bytes([a, b, c, d]))
            .ok()
            .and_then(|length| length.checked_add(at + 8))
        else {
            return;
        };
        if end.checked_add(4).is_none_or(|end| end > file.len()) {
            return;
        }
        let checksum = crc32fast::hash(&file[at + 4..end]);
        file[end..end + 4].copy_from_slice(&checksum.to_be_bytes());
        at = end + 4;
    }
}

/// The segments before the first scan: no comment, no Photoshop block, of application data only JFIF, Adobe's transform, and an Exif
/// that is too short for more than how the photo is turned.
fn jpeg_is_bare(kept: &[u8]) {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = kept.get(at..at + 4).and_then(|head| head.first_chunk()) {
        let length = usize::from(u16::from_be_bytes([high, low]));
        match marker {
            0xda => return,
            0xe0 | 0xee => assert!(length <= 16, "application data {marker:x} of {length} bytes"),
            0xe1 => assert!(length <= 34, "Exif of {length} bytes"),
            0xe2 => assert!(kept[at + 4..].starts_with(b"ICC_PROFILE\0"), "application data e2"),
            0xe3..=0xef | 0xfe => panic!("a segment {marker:x} is left"),
            _ => {}
        }
        at += 2 + length;
    }
}

fn png_is_bare(kept: &[u8]) {
    let mut at = PNG_SIGNATURE;
    while let Some(&[a, b, c, d, ref kind @ ..]) = kept.get(at..at + 8).and_then(|head| head.first_chunk::<8>()) {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).expect("a chunk's length");
        assert!(
            ![b"tEXt", b"zTXt", b"iTXt", b"tIME"].contains(&kind),
            "{} is left",
            kind.escape_ascii()
        );
        assert!(kind != b"eXIf" || length <= 26, "Exif of {length} bytes");
        at += 12 + length;
    }
    assert_eq!(at, kept.len(), "something follows the last chunk");
}

fn webp_is_bare(kept: &[u8]) {
    let mut at = 12;
    while let Some(&[ref kind @ .., a, b, c, d]) = kept.get(at..at + 8).and_then(|head| head.first_chunk::<8>()) {
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).expect("a chunk's length");
        assert!(kind != b"XMP ", "XMP is left");
        assert!(kind != b"EXIF" || length <= 32, "Exif of {length} bytes");
        at += 8 + length.next_multiple_of(2);
    }
    assert_eq!(at, kept.len(), "something follows the last chunk");
}
