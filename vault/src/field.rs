//! One field: its key, and sealing and opening with it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::Mac;
use schemas::Sealed;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::{Broken, OpenError};
use crate::secret::{SECRET_BYTES, Secret};
use crate::token::{NONCE_BYTES, Token};

/// What a row key becomes a field key with; the header's bytes follow it.
const FIELD_LABEL: &[u8] = b"caseledger.vault.field.1\0";
const ENCRYPTION_LABEL: &[u8] = b"caseledger.vault.encryption.1";
const COMMITMENT_LABEL: &[u8] = b"caseledger.vault.commitment.1";

/// The key of one sealed value, which opens that one and no other.
///
/// HKDF-SHA256 of the row's key, without salt; the info is `caseledger.vault.field.1`, a zero byte and the header's bytes
/// (format version, category, key id, person, stream, command id, field). The encryption key and the commitment are
/// HMAC-SHA256 under the field key of `caseledger.vault.encryption.1` and `caseledger.vault.commitment.1`.
pub struct FieldKey(Secret);

impl FieldKey {
    /// Derives the key of the field whose header this is.
    pub(crate) fn derive(row_key: &Secret, header: &[u8]) -> Result<Self, Broken> {
        row_key.derive(&[FIELD_LABEL, header]).map(Self)
    }

    /// Reads what [`FieldKey::to_text`] wrote; none when it is something else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES + 2]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()).ok()?;
        Secret::from_slice(bytes.get(..length)?).map(Self)
    }

    /// The key as text to hand over: base64url without padding. Whoever has it can read the field.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.bytes()))
    }

    fn commitment(&self) -> [u8; SECRET_BYTES] {
        self.0
            .mac()
            .chain_update(COMMITMENT_LABEL)
            .finalize()
            .into_bytes()
            .into()
    }

    /// Takes the same time wherever the two differ.
    fn is_committed_to(&self, commitment: &[u8]) -> bool {
        self.0
            .mac()
            .chain_update(COMMITMENT_LABEL)
            .verify_slice(commitment)
            .is_ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.labelled(ENCRYPTION_LABEL).bytes().into())
    }

    /// Seals under a nonce that was never used before.
    pub(crate) fn seal(&self, header: &[u8], nonce: &[u8; NONCE_BYTES], json: &str) -> Result<Sealed, Broken> {
        let authenticated = [header, &self.commitment()].concat();
        let payload = Payload {
            msg: json.as_bytes(),
            aad: &authenticated,
        };
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| Broken)?;
        Ok(Token::assemble(&authenticated, nonce, &ciphertext))
    }

    pub(crate) fn open(&self, token: &Token) -> Result<Opened, OpenError> {
        if !self.is_committed_to(token.commitment()) {
            return Err(OpenError::Damaged);
        }
        let (nonce, ciphertext) = token.nonce_and_ciphertext();
        let nonce = XNonce::try_from(nonce).map_err(|_| OpenError::Damaged)?;
        let payload = Payload {
            msg: ciphertext,
            aad: token.authenticated(),
        };
        let json = self.cipher().decrypt(&nonce, payload).map_err(|_| OpenError::Damaged)?;
        // Only text is sealed, so this does not fail; the bytes of one that does are wiped.
        String::from_utf8(json)
            .map(|json| Opened(Zeroizing::new(json)))
            .map_err(|error| {
                drop(Zeroizing::new(error.into_bytes()));
                OpenError::Damaged
            })
    }
}

impl fmt::Debug for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldKey([secret])")
    }
}

/// Opens a sealed value with its own key, as an auditor does: without the vault.
///
/// # Errors
/// [`OpenError::Damaged`] when the value is not what was sealed, or the key is another's.
pub fn open_with_field_key(sealed: &Sealed, key: &FieldKey) -> Result<Opened, OpenError> {
    key.open(&Token::parse(sealed)?)
}

/// An opened value. It is wiped when dropped, and not printed by `Debug`.
pub struct Opened(Zeroizing<String>);

impl Opened {
    /// The value's JSON text, as it was sealed.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.0
    }

    /// Reads the value as a type.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] when it is not of that type. The cause is left out: it could quote the value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, OpenError> {
        serde_json::from_str(self.json()).map_err(|_| OpenError::Damaged)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}
