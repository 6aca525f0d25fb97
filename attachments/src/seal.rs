//! Sealing: each file under a key of its own.
//!
//! A sealed file is its header, the XChaCha20-Poly1305 of one byte for the kind and the file's bytes, and the 16-byte tag:
//!
//! ```text
//! header: "CLAT" | format version (1) | attachment id (16) | nonce (24) | commitment (32)
//! ```
//!
//! The header is authenticated with the rest, so a sealed file put in another's place does not open. Encryption key and
//! commitment are HKDF-SHA256 (RFC 5869) of the content key over the header up to the commitment. The commitment binds the file
//! to one key, so that nobody can make one that opens to one picture under one key and to another under a second; it also tells
//! a wrong key from changed bytes.
//!
//! The file is sealed as a whole, not in pieces: it is in memory anyhow, since nothing of it may be kept before all of it was
//! looked at, and it is at most 20 MiB. So no byte comes out before the tag was checked, and none can be cut off the end.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::content::{ATTACHMENT_MAX_BYTES, Content};
use crate::kind;
use schemas::AttachmentId;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

const MARK: &[u8] = b"CLAT";
const FORMAT_VERSION: u8 = 1;

/// Where the parts of the header end.
const ID_AT: usize = MARK.len() + 1;
const NONCE_AT: usize = ID_AT + 16;
const COMMITMENT_AT: usize = NONCE_AT + NONCE_BYTES;
const HEADER_BYTES: usize = COMMITMENT_AT + KEY_BYTES;

/// What sealing adds to a file: header, kind and tag.
pub(crate) const SEALED_MORE_BYTES: usize = HEADER_BYTES + 1 + TAG_BYTES;

/// The longest sealed file. What is longer was not sealed here, and is not read into memory.
pub(crate) const SEALED_MAX_BYTES: usize = ATTACHMENT_MAX_BYTES + SEALED_MORE_BYTES;

const ENCRYPTION_LABEL: &[u8] = b"caseledger.attachments.encryption.1";
const COMMITMENT_LABEL: &[u8] = b"caseledger.attachments.commitment.1";

/// The key of one file: 32 random bytes, wiped when dropped and printed nowhere.
///
/// Seal its text as a personal value of the person whose case it is. Who has it can read the file for as long as a copy of that
/// stands anywhere.
pub struct ContentKey(Zeroizing<[u8; KEY_BYTES]>);

/// The text is no content key. It is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attachment's key is 43 characters of base64url: give the one that its upload was answered with")]
pub struct ContentKeyError;

/// A sealed file did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not what this crate sealed, or what a later version did.
    #[error("the stored attachment is of no known form: restore it from a backup, or start the version that sealed it")]
    UnknownForm,
    /// It is another attachment's.
    #[error(
        "the stored attachment is another one's: somebody moved it; restore it from a backup, and look at the store's log"
    )]
    WrongId,
    /// It was sealed under another key, or its first bytes were changed.
    #[error("the attachment does not open with this key: give the key that stands in the event which names it")]
    WrongKey,
    /// It was changed since it was sealed.
    #[error("the stored attachment was changed: restore it from a backup, and look at the store's log")]
    Damaged,
}

impl ContentKey {
    /// A new one.
    #[must_use]
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut key = Self(Zeroizing::new([0; KEY_BYTES]));
        rng.fill_bytes(key.0.as_mut_slice());
        key
    }

    /// The key as text: base64url without padding, 43 characters. Secret; the text is wiped when dropped.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// Reads the text of [`ContentKey::to_text`]; the caller wipes its own.
    ///
    /// # Errors
    /// [`ContentKeyError`] where it is of another form.
    pub fn from_text(text: &str) -> Result<Self, ContentKeyError> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| ContentKeyError)?);
        let mut key = Self(Zeroizing::new([0; KEY_BYTES]));
        if bytes.len() != KEY_BYTES {
            return Err(ContentKeyError);
        }
        key.0.copy_from_slice(&bytes);
        Ok(key)
    }

    /// Another holder of the same key, for work on another thread.
    pub(crate) fn again(&self) -> Self {
        Self(self.0.clone())
    }

    fn derive(&self, label: &[u8], header: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(None, self.0.as_slice())
            .expand_multi_info(&[label, header], derived.as_mut_slice())
            .ok()?;
        Some(derived)
    }

    /// `header` is what stands before the commitment.
    fn cipher(&self, header: &[u8]) -> Option<XChaCha20Poly1305> {
        let key = self.derive(ENCRYPTION_LABEL, header)?;
        XChaCha20Poly1305::new_from_slice(key.as_slice()).ok()
    }
}

/// A new id: a random UUID (RFC 9562, version 4), which says nothing about when or for whom it was made.
pub(crate) fn fresh_id(rng: &mut impl CryptoRng) -> AttachmentId {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    AttachmentId(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(..)")
    }
}

/// What sealing needs that is random.
pub(crate) struct Fresh {
    pub(crate) id: AttachmentId,
    pub(crate) key: ContentKey,
    nonce: [u8; NONCE_BYTES],
}

impl Fresh {
    pub(crate) fn random(rng: &mut impl CryptoRng) -> Self {
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        Self {
            id: fresh_id(rng),
            key: ContentKey::random(rng),
            nonce,
        }
    }
}

/// Seals a file. `None` where a primitive refuses what it can't refuse, such as a file of this size.
pub(crate) fn seal(content: &Content, fresh: &Fresh) -> Option<Vec<u8>> {
    // All at once: the buffer must not grow, which would leave open bytes behind.
    let mut sealed = Vec::with_capacity(content.bytes().len() + SEALED_MORE_BYTES);
    sealed.extend(MARK);
    sealed.push(FORMAT_VERSION);
    sealed.extend(fresh.id.uuid().as_bytes());
    sealed.extend(fresh.nonce);
    let cipher = fresh.key.cipher(&sealed)?;
    let commitment = fresh.key.derive(COMMITMENT_LABEL, &sealed)?;
    sealed.extend(*commitment);
    sealed.push(kind::code_of(content.kind()));
    sealed.extend(content.bytes());
    let (header, open) = sealed.split_at_mut_checked(HEADER_BYTES)?;
    let tag = cipher
        .encrypt_inout_detached(&XNonce::from(fresh.nonce), header, open.into())
        .ok()?;
    sealed.extend(tag);
    Some(sealed)
}

/// Opens what [`seal`] sealed.
pub(crate) fn open(sealed: &[u8], id: AttachmentId, key: &ContentKey) -> Result<Content, OpenError> {
    let (header, rest) = sealed.split_at_checked(HEADER_BYTES).ok_or(OpenError::UnknownForm)?;
    let (claim, commitment) = header.split_at(COMMITMENT_AT);
    let (form, named) = claim.split_at(ID_AT);
    let (named, nonce) = named.split_at(NONCE_AT - ID_AT);
    if form != [MARK, &[FORMAT_VERSION]].concat() {
        return Err(OpenError::UnknownForm);
    }
    if named != id.uuid().as_bytes() {
        return Err(OpenError::WrongId);
    }
    // The commitment stands there for all to see, so there is nothing to learn from how long this takes.
    let committed = key.derive(COMMITMENT_LABEL, claim).ok_or(OpenError::Damaged)?;
    if commitment != committed.as_slice() {
        return Err(OpenError::WrongKey);
    }
    let opened = || {
        let (ciphertext, tag) = rest.split_at_checked(rest.len().checked_sub(TAG_BYTES)?)?;
        let mut bytes = Zeroizing::new(ciphertext.to_vec());
        let (nonce, tag) = (XNonce::try_from(nonce).ok()?, Tag::try_from(tag).ok()?);
        let buffer = bytes.as_mut_slice().into();
        key.cipher(claim)?
            .decrypt_inout_detached(&nonce, header, buffer, &tag)
            .ok()?;
        let kind = kind::kind_of_code(*bytes.first()?)?;
        bytes.drain(..1);
        Some(Content::new(bytes, kind))
    };
    opened().ok_or(OpenError::Damaged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use schemas::command::MediaType;

    use super::*;

    fn fresh(seed: u64) -> Fresh {
        Fresh::random(&mut StdRng::seed_from_u64(seed))
    }

    fn content(bytes: &[u8]) -> Content {
        Content::new(Zeroizing::new(bytes.to_vec()), MediaType::Csv)
    }

    fn error(opened: Result<Content, OpenError>) -> OpenError {
        opened.expect_err("it must not open")
    }

    proptest! {
        #[test]
        fn any_bytes_open_as_they_were_sealed(bytes: Vec<u8>, seed: u64) {
            let fresh = fresh(seed);
            let sealed = seal(&content(&bytes), &fresh).unwrap();
            prop_assert_eq!(sealed.len(), bytes.len() + SEALED_MORE_BYTES);
            let opened = open(&sealed, fresh.id, &fresh.key).unwrap();
            prop_assert_eq!(opened.bytes(), &bytes);
            prop_assert_eq!(opened.kind(), MediaType::Csv);
            prop_assert_eq!(opened.hash(), &crate::hash_of(&bytes));
        }

        #[test]
        fn no_bytes_make_opening_panic(bytes: Vec<u8>, mark: bool) {
            let fresh = fresh(1);
            let start: &[u8] = if mark { b"CLAT\x01" } else { b"" };
            prop_assert!(open(&[start, &bytes].concat(), fresh.id, &fresh.key).is_err());
        }
    }

    #[test]
    fn a_sealed_file_shows_nothing_of_it() {
        let (first, second) = (fresh(1), fresh(2));
        let words = b"Ada Lovelace, 12 Analytical Row";
        let (one, other) = (
            seal(&content(words), &first).unwrap(),
            seal(&content(words), &second).unwrap(),
        );
        assert!(!one.windows(3).any(|part| part == b"Ada"));
        assert_ne!(one[HEADER_BYTES..], other[HEADER_BYTES..]);
    }

    #[test]
    fn wrong_key_wrong_id_and_changed_bytes_are_told_apart() {
        let (right, other) = (fresh(1), fresh(2));
        let sealed = seal(&content(b"Ada"), &right).unwrap();
        assert_eq!(error(open(&sealed, right.id, &other.key)), OpenError::WrongKey);
        assert_eq!(error(open(&sealed, other.id, &right.key)), OpenError::WrongId);
        for (place, expected) in [
            (0, OpenError::UnknownForm),
            (MARK.len(), OpenError::UnknownForm),
            (ID_AT, OpenError::WrongId),
            (NONCE_AT, OpenError::WrongKey),
            (COMMITMENT_AT, OpenError::WrongKey),
            (HEADER_BYTES, OpenError::Damaged),
            (sealed.len() - 1, OpenError::Damaged),
        ] {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(error(open(&changed, right.id, &right.key)), expected, "byte {place}");
        }
        for end in 0..sealed.len() {
            assert!(open(&sealed[..end], right.id, &right.key).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_file_moved_into_anothers_place_does_not_open_though_its_header_was_forged() {
        let (right, other) = (fresh(1), fresh(2));
        let mut sealed = seal(&content(b"Ada"), &right).unwrap();
        sealed[ID_AT..NONCE_AT].copy_from_slice(other.id.uuid().as_bytes());
        assert_eq!(error(open(&sealed, other.id, &right.key)), OpenError::WrongKey);
    }

    #[test]
    fn a_key_reads_as_it_is_written_and_is_not_printed() {
        let key = fresh(1).key;
        let text = key.to_text();
        assert_eq!(text.len(), 43);
        assert_eq!(ContentKey::from_text(&text).unwrap().to_text(), text);
        assert_eq!(format!("{key:?}"), "ContentKey(..)");
        for wrong in ["", "AAAA", &text[1..], "not base64!"] {
            assert_eq!(ContentKey::from_text(wrong).unwrap_err(), ContentKeyError, "{wrong}");
        }
    }
}
