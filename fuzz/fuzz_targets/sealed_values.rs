//! Sealed values, their headers and keys, and what is sealed for a contractor.
//!
//! The first byte chooses what the rest is. Held, whatever the bytes:
//!
//! - A header that is read has one written form, the documented one, and is what the token begins with.
//! - What is sealed as `schemas::sealed` and `vault::FieldKey` document it opens to the same text; with any byte of it altered it is
//!   damaged. This target seals by the documents, with code of its own.
//! - A token of strangers never opens, unless it is the one that the key sealed.
//! - What is sealed for a contractor opens to the same content, and to nothing once it is altered.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::{Corpus, fuzz_target};
use rand::SeedableRng;
use rand::rngs::StdRng;
use schemas::feed::{FeedKey, JobContent, SealedContent};
use schemas::text::Text;
use schemas::{Category, EventId, Personal, Sealed};
use sha2::Sha256;
use uuid::Uuid;
use vault::{FieldKey, SealedHeader};

/// A value that the vault sealed once, with the key of its field.
const GOLDEN: &str = include_str!("../../vault/golden/sealed.v1.json");

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((choice, rest)) = bytes.split_first() else {
        return Corpus::Reject;
    };
    let text = std::str::from_utf8(rest).ok();
    match (choice % 6, text) {
        (0, Some(text)) => strangers_token(text),
        (1, _) => sealed_by_the_documents(rest),
        (2, Some(text)) => {
            if let Some(key) = FieldKey::from_text(text) {
                assert_eq!(key.to_text().as_str(), text, "a key has one written form");
            }
        }
        (3, Some(text)) => for_a_contractor(text),
        (4, Some(text)) => from_a_stranger(text),
        (5, Some(text)) => in_json(text),
        _ => return Corpus::Reject,
    }
    Corpus::Keep
});

fn golden(member: &str) -> String {
    let golden: serde_json::Value = serde_json::from_str(GOLDEN).expect("JSON");
    golden[member].as_str().expect("a member of the golden file").to_owned()
}

fn strangers_token(text: &str) {
    let sealed = Sealed::from_token(text.to_owned());
    if let Ok(header) = SealedHeader::of(&sealed) {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .expect("a token that was read is base64url");
        assert!(
            bytes.starts_with(&written(&header)),
            "{header:?} is not what the token begins with"
        );
    }
    let key = FieldKey::from_text(&golden("field_key")).expect("a key");
    match vault::open_with_field_key(&sealed, &key) {
        Ok(opened) => assert_eq!(
            (text, opened.json()),
            (golden("token").as_str(), golden("json").as_str())
        ),
        Err(_) => assert_ne!(text, golden("token")),
    }
}

/// A header's bytes, as `schemas::sealed` documents them.
fn written(header: &SealedHeader) -> Vec<u8> {
    let category = match header.category {
        Category::Personal => 1,
        Category::SpecialCategory => 2,
    };
    let person = header.person.map_or(Uuid::nil(), |person| person.uuid());
    let mut bytes = vec![1, category];
    for id in [
        header.key_id.uuid(),
        person,
        header.stream.uuid(),
        header.command_id.uuid(),
    ] {
        bytes.extend(id.as_bytes());
    }
    bytes.push(u8::try_from(header.field.len()).expect("a field's name has at most 255 bytes"));
    bytes.extend(header.field.as_bytes());
    bytes
}

/// 32 bytes of key, 24 of nonce, 66 of a header, how long the field's name is, the name, where a byte is altered and how, the text.
fn sealed_by_the_documents(bytes: &[u8]) {
    let Some((&key, rest)) = bytes.split_first_chunk::<32>() else {
        return;
    };
    let Some((&nonce, rest)) = rest.split_first_chunk::<24>() else {
        return;
    };
    let Some((header, rest)) = rest.split_first_chunk::<66>() else {
        return;
    };
    let Some((length, rest)) = rest.split_first() else {
        return;
    };
    let Some((field, rest)) = rest.split_at_checked(usize::from(*length)) else {
        return;
    };
    let Some((&[high, low, altered], json)) = rest.split_first_chunk() else {
        return;
    };
    let Ok(json) = std::str::from_utf8(json) else { return };
    let mac = |label: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes any key");
        mac.chain_update(label).finalize().into_bytes()
    };
    let commitment = mac("caseledger.vault.commitment.1");
    let authenticated = [header.as_slice(), &[*length], field, &commitment].concat();
    let payload = Payload {
        msg: json.as_bytes(),
        aad: &authenticated,
    };
    let cipher = XChaCha20Poly1305::new(&mac("caseledger.vault.encryption.1"));
    let ciphertext = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a text that is short enough");
    let mut token = [authenticated.as_slice(), &nonce, &ciphertext].concat();

    let key = FieldKey::from_text(&URL_SAFE_NO_PAD.encode(key)).expect("32 bytes are a key");
    let sealed = Sealed::from_token(URL_SAFE_NO_PAD.encode(&token));
    let is_header = header[0] == 1 && matches!(header[1], 1 | 2) && std::str::from_utf8(field).is_ok();
    match vault::open_with_field_key(&sealed, &key) {
        Ok(opened) => assert!(is_header && opened.json() == json, "it opened to another text"),
        Err(_) => assert!(!is_header, "what was sealed does not open"),
    }
    if altered != 0 {
        let place = usize::from(u16::from_be_bytes([high, low])) % token.len();
        token[place] ^= altered;
        let sealed = Sealed::from_token(URL_SAFE_NO_PAD.encode(&token));
        assert!(
            vault::open_with_field_key(&sealed, &key).is_err(),
            "altered at {place}, and it opened"
        );
    }
}

fn for_a_contractor(text: &str) {
    let Ok(content) = serde_json::from_str::<JobContent>(text) else {
        return;
    };
    let mut rng = StdRng::seed_from_u64(text.len() as u64);
    let (key, private) = vault::feed_key_pair(&mut rng);
    assert_eq!(vault::feed_key_of(&private), Some(key));
    let message = EventId(Uuid::from_u128(7));
    let sealed = vault::seal_for(&key, message, &content, &mut rng).expect("a key of our own");
    let opened = vault::open_as_contractor(&private, message, &sealed).expect("what was sealed for it");
    assert!(opened == content, "it opened to other content");
    let mut bytes = STANDARD.decode(&sealed.0).expect("base64");
    let place = text.bytes().map(usize::from).sum::<usize>() % bytes.len();
    // Not the highest bit of the encapsulated key: X25519 leaves it out (RFC 7748 section 5).
    bytes[place] ^= 1;
    let altered = SealedContent(STANDARD.encode(bytes));
    assert!(
        vault::open_as_contractor(&private, message, &altered).is_err(),
        "altered at {place}"
    );
}

/// A private key and what is sealed, a line each.
fn from_a_stranger(text: &str) {
    let (private, sealed) = text.split_once('\n').unwrap_or((text, ""));
    let sealed = SealedContent(sealed.to_owned());
    assert!(
        vault::open_as_contractor(private, EventId(Uuid::nil()), &sealed).is_err(),
        "nobody sealed it"
    );
    let own = STANDARD.encode([7; 32]);
    assert!(
        vault::open_as_contractor(&own, EventId(Uuid::nil()), &sealed).is_err(),
        "nobody sealed it"
    );
    if let Some(key) = vault::feed_key_of(private) {
        assert_eq!(key.to_string().parse::<FeedKey>(), Ok(key));
    }
    if let Ok(key) = private.parse::<FeedKey>() {
        assert_eq!(key.to_string(), private, "a key has one written form");
        // A point of small order is refused, everything else sealed for.
        let mut rng = StdRng::seed_from_u64(1);
        let _ = vault::seal_for(&key, EventId(Uuid::nil()), &JobContent::default(), &mut rng);
    }
}

fn in_json(text: &str) {
    let Ok(value) = serde_json::from_str::<Personal<Text>>(text) else {
        return;
    };
    match value.as_sealed() {
        Some(sealed) => {
            let written = serde_json::to_string(&value).expect("a sealed value is written");
            let again: Personal<Text> = serde_json::from_str(&written).expect("what was written is read");
            assert!(again == value);
            let _ = SealedHeader::of(sealed);
        }
        None => assert!(serde_json::to_string(&value).is_err(), "an open value was written"),
    }
}
