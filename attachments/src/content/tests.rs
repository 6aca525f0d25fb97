use async_trait::async_trait;
use proptest::prelude::*;

use super::*;
use crate::scan::{NoScanner, ScanError};

const PHOTO: &[u8] = include_bytes!("../../tests/fixtures/baseline.jpg");
const PICTURE: &[u8] = include_bytes!("../../tests/fixtures/picture.png");

/// The test file that all scanners know (EICAR), in two parts so that they don't find it here.
fn eicar() -> Vec<u8> {
    [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR",
        "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    ]
    .concat()
    .into_bytes()
}

/// Knows EICAR, and what a photo's metadata hides.
struct Wary;

#[async_trait]
impl Scanner for Wary {
    async fn scan(&self, bytes: &[u8]) -> Result<Verdict, ScanError> {
        let bad = bytes.windows(6).any(|part| part == b"NEEDLE" || part == b"EICAR-");
        let name = "Eicar".to_owned();
        Ok(if bad {
            Verdict::Infected { name }
        } else {
            Verdict::Clean
        })
    }
}

struct Away;

#[async_trait]
impl Scanner for Away {
    async fn scan(&self, _: &[u8]) -> Result<Verdict, ScanError> {
        Err(ScanError::TooSlow)
    }
}

async fn refusal(bytes: &[u8], media_type: &str) -> Refusal {
    match admit(bytes.to_vec(), media_type, &NoScanner).await {
        Err(AdmitError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn given_a_photo_when_it_is_admitted_then_it_is_stripped_and_both_hashes_are_told() {
    let admitted = admit(PHOTO.to_vec(), "image/jpeg", &NoScanner).await.unwrap();
    let content = admitted.content();
    assert_eq!(content.kind(), MediaType::Jpeg);
    assert_eq!(admitted.received(), &hash_of(PHOTO));
    assert_eq!(content.hash(), &hash_of(content.bytes()));
    assert_ne!(content.hash(), admitted.received());
    assert!(!content.bytes().windows(6).any(|part| part == b"NEEDLE"));
}

#[tokio::test]
async fn given_a_document_or_text_when_it_is_admitted_then_it_is_kept_as_it_came() {
    for (bytes, media_type, kind) in [
        (b"%PDF-1.7\n%\xe2\xe3\n".as_slice(), "application/pdf", MediaType::Pdf),
        (b"street,bins\nMill Lane,4\n", "text/csv; charset=utf-8", MediaType::Csv),
        (b"Behind the blue door", "text/plain", MediaType::Text),
    ] {
        let admitted = admit(bytes.to_vec(), media_type, &NoScanner).await.unwrap();
        assert_eq!((admitted.content().bytes(), admitted.content().kind()), (bytes, kind));
        assert_eq!(admitted.content().hash(), admitted.received());
    }
}

#[tokio::test]
async fn given_a_kind_that_does_not_match_when_it_is_sent_then_the_refusal_names_the_field() {
    let refused = refusal(PICTURE, "image/jpeg").await;
    let (declared, found) = (MediaType::Jpeg, MediaType::Png);
    assert_eq!(refused, Refusal::OtherKind { declared, found });
    assert_eq!((refused.code(), refused.pointer()), ("other_kind", "/media_type"));
    assert_eq!(
        refused.to_string(),
        "it was said to be image/jpeg, but the file is image/png: say what it is"
    );
    let unknown = refusal(PHOTO, "image/heic").await;
    assert_eq!(
        (unknown.code(), unknown.pointer()),
        ("unknown_media_type", "/media_type")
    );
    let unknown = refusal(b"MZ\x90\0\x03", "text/plain").await;
    assert_eq!((unknown.code(), unknown.pointer()), ("unknown_kind", "/bytes"));
}

#[tokio::test]
async fn given_the_limits_on_size_when_a_file_is_at_or_beyond_them_then_only_beyond_is_refused() {
    assert_eq!(refusal(b"", "text/plain").await, Refusal::Empty);
    assert_eq!(
        refusal(&vec![b'a'; ATTACHMENT_MAX_BYTES + 1], "text/plain").await,
        Refusal::TooLarge
    );
    assert!(
        admit(vec![b'a'; ATTACHMENT_MAX_BYTES], "text/plain", &NoScanner)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn given_absurd_dimensions_when_a_picture_is_sent_then_it_is_refused_undecoded() {
    let sized = |width: u32, height: u32| {
        let mut picture = PICTURE.to_vec();
        picture[16..20].copy_from_slice(&width.to_be_bytes());
        picture[20..24].copy_from_slice(&height.to_be_bytes());
        picture
    };
    for (width, height) in [
        (0, 16),
        (24, 0),
        (20_001, 1),
        (1, 20_001),
        (u32::MAX, u32::MAX),
        (12_001, 10_000),
    ] {
        assert_eq!(
            refusal(&sized(width, height), "image/png").await,
            Refusal::ImageSize,
            "{width}x{height}"
        );
    }
    for (width, height) in [(20_000, 1), (12_000, 10_000)] {
        assert!(admit(sized(width, height), "image/png", &NoScanner).await.is_ok());
    }
}

#[tokio::test]
async fn given_a_photo_that_is_cut_short_when_it_is_sent_then_it_is_refused() {
    let refused = refusal(&PHOTO[..300], "image/jpeg").await;
    assert_eq!(refused, Refusal::DamagedImage { kind: MediaType::Jpeg });
}

#[tokio::test]
async fn given_something_bad_when_it_is_scanned_then_it_is_refused_though_stripping_would_take_it_out() {
    for (bytes, media_type) in [(eicar(), "text/plain"), (PHOTO.to_vec(), "image/jpeg")] {
        let refused = admit(bytes, media_type, &Wary).await.unwrap_err();
        let AdmitError::Refused(refusal) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((refusal.code(), refusal.pointer()), ("infected", "/bytes"));
    }
    let stripped = crate::strip::jpeg(PHOTO).unwrap().bytes.to_vec();
    assert!(admit(stripped, "image/jpeg", &Wary).await.is_ok());
}

#[tokio::test]
async fn given_no_verdict_when_a_file_is_sent_then_it_is_not_admitted() {
    let error = admit(b"words".to_vec(), "text/plain", &Away).await.unwrap_err();
    assert!(matches!(error, AdmitError::Unscanned(ScanError::TooSlow)));
}

#[tokio::test]
async fn an_admitted_file_is_not_printed() {
    let admitted = admit(b"Ada Lovelace".to_vec(), "text/plain", &NoScanner).await.unwrap();
    let printed = format!("{admitted:?}");
    assert!(printed.contains("Content(text/plain, 12 bytes)"));
    assert!(!printed.contains("Ada") && !printed.contains("65, 100"), "{printed}");
}

proptest! {
    #[test]
    fn no_bytes_make_looking_panic(bytes: Vec<u8>, which in 0..MediaType::ALL.len()) {
        drop(look_at(&bytes, MediaType::ALL[which]));
    }
}
