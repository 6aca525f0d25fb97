//! The hash that stands in the event.

use schemas::text::Digest;
use sha2::{Digest as _, Sha256};

/// The SHA-256 (FIPS 180-4) of a file's bytes.
#[must_use]
pub fn hash_of(bytes: &[u8]) -> Digest {
    Digest::of_sha256(&Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_sha_256() {
        // The example "abc" of FIPS 180-4.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_of(b"abc").as_str(), abc);
        assert_eq!(Digest::new(abc), Ok(hash_of(b"abc")));
    }
}
