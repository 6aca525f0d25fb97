//! A row's key and its wrapped form.
//!
//! Wrapped, a key is a format version (1), a 24-byte nonce, and XChaCha20-Poly1305 of its 32 bytes with the tag. What it is
//! bound to: a label, its id, person, stream and category. So a row's key works in no other row.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::CryptoRng;
use schemas::{AggregateId, Category, CustomerId, KeyId};
use zeroize::Zeroizing;

use crate::error::Broken;
use crate::secret::Secret;
use crate::token::{NONCE_BYTES, category_byte, person_uuid};

const WRAP_VERSION: u8 = 1;
const WRAP_LABEL: &[u8] = b"caseledger.vault.wrapped-key.1\0";

/// Whose data, in which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) person: Option<CustomerId>,
    pub(crate) stream: AggregateId,
}

/// The key of one row, open.
#[derive(Clone)]
pub(crate) struct RowKey {
    pub(crate) id: KeyId,
    /// Shared, so that there is one copy to wipe.
    pub(crate) secret: Arc<Secret>,
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowKey({})", self.id.uuid())
    }
}

impl RowKey {
    /// A new key with a random id.
    pub(crate) fn mint(rng: &mut impl CryptoRng) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let id = uuid::Builder::from_random_bytes(id).into_uuid();
        Self {
            id: KeyId(id),
            secret: Arc::new(Secret::random(rng)),
        }
    }

    /// Wraps it for its row.
    pub(crate) fn wrap(
        &self,
        wrapping_key: &Secret,
        place: Place,
        category: Category,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, Broken> {
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let binding = binding(self.id, place, category);
        let payload = Payload {
            msg: self.secret.bytes(),
            aad: &binding,
        };
        let ciphertext = XChaCha20Poly1305::new(wrapping_key.bytes().into())
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Broken)?;
        Ok([&[WRAP_VERSION], nonce.as_slice(), &ciphertext].concat())
    }

    /// Unwraps a row's key; none when the row is not as it was written.
    pub(crate) fn unwrap_row(
        id: KeyId,
        wrapped: &[u8],
        wrapping_key: &Secret,
        place: Place,
        category: Category,
    ) -> Option<Self> {
        let (&version, rest) = wrapped.split_first()?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES)?;
        if version != WRAP_VERSION {
            return None;
        }
        let binding = binding(id, place, category);
        let payload = Payload {
            msg: ciphertext,
            aad: &binding,
        };
        let bytes = XChaCha20Poly1305::new(wrapping_key.bytes().into())
            .decrypt(&XNonce::try_from(nonce).ok()?, payload)
            .map(Zeroizing::new)
            .ok()?;
        Some(Self {
            id,
            secret: Arc::new(Secret::from_slice(&bytes)?),
        })
    }
}

fn binding(id: KeyId, place: Place, category: Category) -> Vec<u8> {
    let mut bytes = WRAP_LABEL.to_vec();
    bytes.extend(id.uuid().as_bytes());
    bytes.extend(person_uuid(place.person).as_bytes());
    bytes.extend(place.stream.uuid().as_bytes());
    bytes.push(category_byte(category));
    bytes
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_wrapped_key_opens_in_its_own_row_only() {
        let rng = &mut StdRng::seed_from_u64(1);
        let (wrapping, other) = (Secret::random(rng), Secret::random(rng));
        let place = Place {
            person: Some(CustomerId(Uuid::from_u128(1))),
            stream: AggregateId(Uuid::from_u128(2)),
        };
        let key = RowKey::mint(rng);
        let wrapped = key.wrap(&wrapping, place, Category::Personal, rng).unwrap();
        let unwrap =
            |id, wrapped: &[u8], wrapping, place, category| RowKey::unwrap_row(id, wrapped, wrapping, place, category);
        let again = unwrap(key.id, &wrapped, &wrapping, place, Category::Personal).unwrap();
        assert_eq!(again.secret.bytes(), key.secret.bytes());

        let nobody = Place { person: None, ..place };
        let elsewhere = Place {
            stream: AggregateId(Uuid::from_u128(3)),
            ..place
        };
        assert!(unwrap(key.id, &wrapped, &other, place, Category::Personal).is_none());
        assert!(unwrap(KeyId(Uuid::nil()), &wrapped, &wrapping, place, Category::Personal).is_none());
        assert!(unwrap(key.id, &wrapped, &wrapping, nobody, Category::Personal).is_none());
        assert!(unwrap(key.id, &wrapped, &wrapping, elsewhere, Category::Personal).is_none());
        assert!(unwrap(key.id, &wrapped, &wrapping, place, Category::SpecialCategory).is_none());
        for byte in 0..wrapped.len() {
            let mut flipped = wrapped.clone();
            flipped[byte] ^= 1;
            assert!(
                unwrap(key.id, &flipped, &wrapping, place, Category::Personal).is_none(),
                "byte {byte}"
            );
            assert!(
                unwrap(key.id, &wrapped[..byte], &wrapping, place, Category::Personal).is_none(),
                "cut at {byte}"
            );
        }
    }
}
