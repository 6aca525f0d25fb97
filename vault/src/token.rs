//! The bytes of a sealed value, as `schemas::sealed` lays them out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemas::{AggregateId, Category, CommandId, CustomerId, KeyId, Sealed};
use uuid::Uuid;

use crate::error::{OpenError, SealError};
use crate::secret::SECRET_BYTES;

/// The format that is written.
pub(crate) const FORMAT_VERSION: u8 = 1;

/// XChaCha20's nonce: long enough that random ones don't meet.
pub(crate) const NONCE_BYTES: usize = 24;

/// Poly1305's tag.
const TAG_BYTES: usize = 16;

/// The header without the field's name.
const FIXED_HEADER_BYTES: usize = 2 + 4 * 16 + 1;

/// What a sealed value says in clear: whose it is, where it belongs, and which key opens it.
///
/// It is authenticated with the value, but only opening shows that: read on its own, it is a claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SealedHeader {
    /// What protection it has.
    pub category: Category,
    /// The key's row.
    pub key_id: KeyId,
    /// Whom it was sealed for; none where the case had no customer.
    pub person: Option<CustomerId>,
    /// The stream it was sealed for.
    pub stream: AggregateId,
    /// The command that brought it.
    pub command_id: CommandId,
    /// Where it stood in that command's data, as a JSON pointer (RFC 6901).
    pub field: String,
}

impl SealedHeader {
    /// Reads a sealed value's header.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] when it is not of a known form.
    pub fn of(sealed: &Sealed) -> Result<Self, OpenError> {
        Token::parse(sealed).map(|token| token.header)
    }

    /// The header's bytes.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, SealError> {
        let length = u8::try_from(self.field.len()).map_err(|_| SealError::FieldNameTooLong)?;
        let mut bytes = Vec::with_capacity(FIXED_HEADER_BYTES + self.field.len());
        bytes.extend([FORMAT_VERSION, category_byte(self.category)]);
        bytes.extend(self.key_id.uuid().as_bytes());
        bytes.extend(person_uuid(self.person).as_bytes());
        bytes.extend(self.stream.uuid().as_bytes());
        bytes.extend(self.command_id.uuid().as_bytes());
        bytes.push(length);
        bytes.extend(self.field.as_bytes());
        Ok(bytes)
    }

    /// Reads the header at the start of `bytes`; its length comes with it.
    fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let (fixed, rest) = bytes.split_at_checked(FIXED_HEADER_BYTES)?;
        let (&[version, category], ids) = fixed.split_first_chunk()?;
        if version != FORMAT_VERSION {
            return None;
        }
        let (length, ids) = ids.split_last()?;
        let (ids, []) = ids.as_chunks::<16>() else { return None };
        let [key_id, person, stream, command_id] = *ids else {
            return None;
        };
        let field = rest.get(..usize::from(*length))?;
        let person = Uuid::from_bytes(person);
        let header = Self {
            category: category_of(category)?,
            key_id: KeyId(Uuid::from_bytes(key_id)),
            person: (!person.is_nil()).then_some(CustomerId(person)),
            stream: AggregateId(Uuid::from_bytes(stream)),
            command_id: CommandId(Uuid::from_bytes(command_id)),
            field: std::str::from_utf8(field).ok()?.to_owned(),
        };
        Some((header, FIXED_HEADER_BYTES + field.len()))
    }
}

/// How a category stands in a header and in what binds a wrapped key.
pub(crate) const fn category_byte(category: Category) -> u8 {
    match category {
        Category::Personal => 1,
        Category::SpecialCategory => 2,
    }
}

const fn category_of(byte: u8) -> Option<Category> {
    match byte {
        1 => Some(Category::Personal),
        2 => Some(Category::SpecialCategory),
        _ => None,
    }
}

/// How a person stands there: nil where there is none.
pub(crate) fn person_uuid(person: Option<CustomerId>) -> Uuid {
    person.map_or(Uuid::nil(), CustomerId::uuid)
}

/// A sealed value, its parts found.
pub(crate) struct Token {
    pub(crate) header: SealedHeader,
    bytes: Vec<u8>,
    header_bytes: usize,
}

impl Token {
    /// Finds the parts; says nothing about whether they are genuine.
    pub(crate) fn parse(sealed: &Sealed) -> Result<Self, OpenError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed.token()).map_err(|_| OpenError::Damaged)?;
        let (header, header_bytes) = SealedHeader::decode(&bytes).ok_or(OpenError::Damaged)?;
        if bytes.len() < header_bytes + SECRET_BYTES + NONCE_BYTES + TAG_BYTES {
            return Err(OpenError::Damaged);
        }
        Ok(Self {
            header,
            bytes,
            header_bytes,
        })
    }

    /// Puts the parts together.
    pub(crate) fn assemble(authenticated: &[u8], nonce: &[u8; NONCE_BYTES], ciphertext: &[u8]) -> Sealed {
        Sealed::from_token(URL_SAFE_NO_PAD.encode([authenticated, nonce, ciphertext].concat()))
    }

    /// The header's bytes.
    pub(crate) fn header_bytes(&self) -> &[u8] {
        &self.bytes[..self.header_bytes]
    }

    /// Header and commitment: what is authenticated with the ciphertext.
    pub(crate) fn authenticated(&self) -> &[u8] {
        &self.bytes[..self.header_bytes + SECRET_BYTES]
    }

    /// The commitment to the field key.
    pub(crate) fn commitment(&self) -> &[u8] {
        &self.authenticated()[self.header_bytes..]
    }

    /// The nonce and, after it, ciphertext and tag.
    pub(crate) fn nonce_and_ciphertext(&self) -> (&[u8], &[u8]) {
        self.bytes[self.header_bytes + SECRET_BYTES..].split_at(NONCE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(field: &str) -> SealedHeader {
        SealedHeader {
            category: Category::SpecialCategory,
            key_id: KeyId(Uuid::from_u128(1)),
            person: None,
            stream: AggregateId(Uuid::from_u128(3)),
            command_id: CommandId(Uuid::from_u128(4)),
            field: field.to_owned(),
        }
    }

    #[test]
    fn a_header_is_read_as_it_was_written() {
        for person in [None, Some(CustomerId(Uuid::from_u128(2)))] {
            let header = SealedHeader {
                person,
                ..header("/name")
            };
            let bytes = header.encode().unwrap();
            assert_eq!(bytes.len(), FIXED_HEADER_BYTES + 5);
            assert_eq!(SealedHeader::decode(&bytes), Some((header, bytes.len())));
        }
    }

    #[test]
    fn a_pointer_of_255_bytes_fits_and_no_longer_one() {
        assert!(header(&"x".repeat(255)).encode().is_ok());
        assert_eq!(header(&"x".repeat(256)).encode(), Err(SealError::FieldNameTooLong));
    }

    #[test]
    fn an_unknown_version_or_category_and_a_short_token_are_damaged() {
        let good = header("/name").encode().unwrap();
        let damaged = |bytes: &[u8]| SealedHeader::decode(bytes).is_none();
        assert!(damaged(&[&[2], &good[1..]].concat()));
        assert!(damaged(&[&[1, 3], &good[2..]].concat()));
        assert!((0..good.len()).all(|end| damaged(&good[..end])));
        assert!(Token::parse(&Sealed::from_token(URL_SAFE_NO_PAD.encode(good))).is_err());
        assert!(Token::parse(&Sealed::from_token("not base64!".into())).is_err());
    }
}
