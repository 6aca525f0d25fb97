//! Sealing the bodies of dead letters.
//!
//! What could not be read may be anything, a person's words among it, and nobody knows whose. So a body is sealed under a key
//! of the key file and not under a person's: erasing a person does not reach it, which is why dead letters are kept for
//! thirty days only.
//!
//! A sealed letter is base64url without padding of a format version (1), a 24-byte nonce, and XChaCha20-Poly1305 of the body
//! with its 16-byte tag. The version is authenticated with it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::CryptoRng;

use crate::error::{Broken, VaultError};
use crate::secret::Secret;
use crate::token::NONCE_BYTES;
use crate::vault::Vault;

const LETTER_VERSION: u8 = 1;
const LETTER_LABEL: &[u8] = b"caseledger.vault.letter.1";

/// The key of all letters; it does nothing else.
pub(crate) struct LetterKey(Secret);

impl LetterKey {
    pub(crate) fn derive(root: &Secret) -> Result<Self, Broken> {
        root.derive(&[LETTER_LABEL]).map(Self)
    }

    fn seal(&self, body: &[u8], rng: &mut impl CryptoRng) -> Result<String, Broken> {
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let payload = Payload {
            msg: body,
            aad: &[LETTER_VERSION],
        };
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Broken)?;
        Ok(URL_SAFE_NO_PAD.encode([&[LETTER_VERSION], nonce.as_slice(), &ciphertext].concat()))
    }

    /// None when it is not what [`LetterKey::seal`] made with this key.
    fn open(&self, letter: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(letter).ok()?;
        let (&version, rest) = bytes.split_first()?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES)?;
        if version != LETTER_VERSION {
            return None;
        }
        let payload = Payload {
            msg: ciphertext,
            aad: &[version],
        };
        self.cipher().decrypt(&XNonce::try_from(nonce).ok()?, payload).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.bytes().into())
    }
}

impl fmt::Debug for LetterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LetterKey([secret])")
    }
}

impl Vault {
    /// Seals the body of a dead letter, whatever bytes it is. Nobody's key is used, so no database is asked.
    ///
    /// # Errors
    /// [`VaultError::Broken`]: stop.
    pub fn seal_letter(&self, body: &[u8]) -> Result<String, VaultError> {
        Ok(self.key_file.letters().seal(body, &mut crate::fresh_rng())?)
    }

    /// Opens what [`Vault::seal_letter`] sealed. The bytes are as they came from the bus: personal, and not to be trusted.
    ///
    /// # Errors
    /// [`VaultError::DamagedLetter`]: it was altered, or sealed with another key file.
    pub fn open_letter(&self, letter: &str) -> Result<Vec<u8>, VaultError> {
        self.key_file.letters().open(letter).ok_or(VaultError::DamagedLetter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn key(byte: u8) -> LetterKey {
        LetterKey::derive(&Secret::from_slice(&[byte; 32]).unwrap()).unwrap()
    }

    fn sealed(body: &[u8], seed: u64) -> String {
        key(1).seal(body, &mut StdRng::seed_from_u64(seed)).unwrap()
    }

    proptest! {
        #[test]
        fn any_bytes_open_as_they_were_sealed(body: Vec<u8>, seed: u64) {
            prop_assert_eq!(key(1).open(&sealed(&body, seed)), Some(body));
        }
    }

    #[test]
    fn a_letter_shows_nothing_and_equal_bodies_look_different() {
        let (first, second) = (sealed(b"Ada Lovelace", 1), sealed(b"Ada Lovelace", 2));
        assert_ne!(first, second);
        let bytes = URL_SAFE_NO_PAD.decode(first).unwrap();
        assert!(!bytes.windows(3).any(|part| part == b"Ada"));
        assert_eq!(bytes.len(), 1 + NONCE_BYTES + 12 + 16);
    }

    #[test]
    fn a_letter_that_was_altered_cut_or_sealed_elsewhere_does_not_open() {
        let letter = sealed(b"{}", 1);
        assert_eq!(key(2).open(&letter), None, "another key file");
        let bytes = URL_SAFE_NO_PAD.decode(&letter).unwrap();
        for place in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1;
            assert_eq!(key(1).open(&URL_SAFE_NO_PAD.encode(flipped)), None, "byte {place}");
            assert_eq!(
                key(1).open(&URL_SAFE_NO_PAD.encode(&bytes[..place])),
                None,
                "cut at {place}"
            );
        }
        assert_eq!(key(1).open("not base64!"), None);
    }

    #[test]
    fn the_key_serves_letters_only_and_is_not_printed() {
        let root = Secret::from_slice(&[1; 32]).unwrap();
        assert_ne!(
            key(1).0.bytes(),
            root.derive(&[b"caseledger.vault.wrapping.1"]).unwrap().bytes()
        );
        assert_ne!(key(1).0.bytes(), root.bytes());
        assert_eq!(format!("{:?}", key(1)), "LetterKey([secret])");
    }
}
