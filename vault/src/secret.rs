//! 32 bytes that are wiped when dropped and printed nowhere, and what is derived from them.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::error::Broken;

/// How many bytes a key, a commitment and a keyed hash have.
pub(crate) const SECRET_BYTES: usize = 32;

/// The size of SHA-256's block, to which HMAC pads its key with zeros (RFC 2104 section 2).
const BLOCK_BYTES: usize = 64;

/// A key.
pub(crate) struct Secret(Zeroizing<[u8; SECRET_BYTES]>);

impl Secret {
    /// A new one.
    pub(crate) fn random(rng: &mut impl CryptoRng) -> Self {
        let mut secret = Self::zero();
        rng.fill_bytes(secret.0.as_mut_slice());
        secret
    }

    /// Takes the bytes, of which there must be 32; the caller wipes its own.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self::zero();
        if bytes.len() != SECRET_BYTES {
            return None;
        }
        secret.0.copy_from_slice(bytes);
        Some(secret)
    }

    /// The bytes. Keep no copy.
    pub(crate) fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    /// HKDF-SHA256 (RFC 5869) without salt; `info` is the parts put one after the other.
    pub(crate) fn derive(&self, info: &[&[u8]]) -> Result<Self, Broken> {
        let mut derived = Self::zero();
        Hkdf::<Sha256>::new(None, self.bytes())
            .expand_multi_info(info, derived.0.as_mut_slice())
            .map_err(|_| Broken)?;
        Ok(derived)
    }

    /// HMAC-SHA256, to be fed.
    pub(crate) fn mac(&self) -> Hmac<Sha256> {
        // With the key padded to a block here, HMAC's constructor has nothing to refuse.
        let mut block = [0; BLOCK_BYTES];
        block[..SECRET_BYTES].copy_from_slice(self.bytes());
        let mac = Hmac::new(&block.into());
        block.zeroize();
        mac
    }

    /// HMAC-SHA256 of one label, as a key.
    pub(crate) fn labelled(&self, label: &[u8]) -> Self {
        let mut output = self.mac().chain_update(label).finalize().into_bytes();
        let mut derived = Self::zero();
        derived.0.copy_from_slice(&output);
        output.as_mut_slice().zeroize();
        derived
    }

    fn zero() -> Self {
        Self(Zeroizing::new([0; SECRET_BYTES]))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_is_hmac_of_the_unpadded_key() {
        let secret = Secret::from_slice(&[7; 32]).unwrap();
        let reference = Hmac::<Sha256>::new_from_slice(&[7; 32])
            .unwrap()
            .chain_update(b"text")
            .finalize();
        assert!(
            secret
                .mac()
                .chain_update(b"text")
                .verify_slice(&reference.into_bytes())
                .is_ok()
        );
    }

    #[test]
    fn parts_of_info_are_one_text() {
        let secret = Secret::from_slice(&[7; 32]).unwrap();
        let (whole, parts) = (
            secret.derive(&[b"label"]).unwrap(),
            secret.derive(&[b"la", b"bel"]).unwrap(),
        );
        assert_eq!(whole.bytes(), parts.bytes());
        assert_ne!(whole.bytes(), secret.derive(&[b"other"]).unwrap().bytes());
    }

    #[test]
    fn only_32_bytes_make_a_key_and_none_is_printed() {
        assert!(Secret::from_slice(&[7; 31]).is_none());
        assert!(Secret::from_slice(&[7; 33]).is_none());
        assert_eq!(format!("{:?}", Secret::from_slice(&[7; 32])), "Some([secret])");
    }
}
