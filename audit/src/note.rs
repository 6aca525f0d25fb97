//! Signed notes (C2SP `signed-note`) with Ed25519: a text, an empty line, and a line for each signature.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The byte that stands for Ed25519 in keys.
const ED25519: u8 = 1;

/// What each signature's line begins with: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";

/// What a private key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// The largest note that is read, in bytes.
pub const MAX_NOTE_BYTES: usize = 1_000_000;

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has not the form.
    #[error("it is not a {0} key of the form that signed-note has for Ed25519")]
    Form(&'static str),
    /// Its hash is not that of its name and key.
    #[error("its hash does not belong to its name and key: part of it was changed")]
    Hash,
    /// A name that can't be one.
    #[error("a key's name must not be empty, nor hold white space or a plus sign: such as council.example/caseledger")]
    Name,
}

/// Why a note is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is no signed note.
    #[error("it is no signed note: a text, an empty line, and a line for each signature")]
    Form,
    /// None of its signatures is of a key that is trusted.
    #[error("it has no signature of {0}")]
    NotSigned(String),
    /// A signature of a trusted key is wrong.
    #[error("the signature of {0} is wrong: it was altered, or never signed")]
    Wrong(String),
}

/// The name of a key: who signs. For a checkpoint also the log's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName(String);

impl KeyName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyName {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let wrong = text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+');
        if wrong {
            Err(KeyError::Name)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

/// The first four bytes of SHA-256 over name, line feed, kind and public key.
fn key_hash(name: &KeyName, public: &[u8; 32]) -> [u8; 4] {
    let sum = Sha256::new()
        .chain_update(name.as_str())
        .chain_update([b'\n', ED25519])
        .chain_update(public)
        .finalize();
    [sum[0], sum[1], sum[2], sum[3]]
}

fn hex(hash: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(hash))
}

/// Takes `<name>+<hash>+<base64 of kind and 32 bytes>` apart.
fn parts(text: &str, what: &'static str) -> Result<(KeyName, String, Zeroizing<[u8; 32]>), KeyError> {
    let form = || KeyError::Form(what);
    let (name, rest) = text.split_once('+').ok_or_else(form)?;
    let (hash, key) = rest.split_once('+').ok_or_else(form)?;
    let bytes = Zeroizing::new(STANDARD.decode(key).map_err(|_| form())?);
    let (kind, key) = bytes.split_first().ok_or_else(form)?;
    let key: [u8; 32] = key.try_into().map_err(|_| form())?;
    if *kind != ED25519 {
        return Err(form());
    }
    Ok((name.parse()?, hash.to_owned(), Zeroizing::new(key)))
}

/// Who verifies: a name and a public key. Written `<name>+<hash>+<base64>`; to be given to everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    hash: [u8; 4],
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    fn new(name: KeyName, key: ed25519_dalek::VerifyingKey) -> Self {
        let hash = key_hash(&name, key.as_bytes());
        Self { name, hash, key }
    }

    /// Whose it is.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    fn verifies(&self, text: &str, signature: &[u8; 64]) -> bool {
        self.key
            .verify_strict(text.as_bytes(), &Signature::from_bytes(signature))
            .is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519], self.key.as_bytes().as_slice()].concat());
        write!(f, "{}+{}+{key}", self.name, hex(self.hash))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, hash, key) = parts(text.trim(), "public")?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| KeyError::Form("public"))?;
        let key = Self::new(name, key);
        if hex(key.hash) == hash {
            Ok(key)
        } else {
            Err(KeyError::Hash)
        }
    }
}

/// Who signs: a name and a private key.
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    verifier: VerifierKey,
}

/// Does not print the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.verifier.name).finish()
    }
}

impl SigningKey {
    /// The key of 32 random bytes.
    #[must_use]
    pub fn new(name: KeyName, seed: &Zeroizing<[u8; 32]>) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key.verifying_key());
        Self { key, verifier }
    }

    /// Reads what [`Self::secret_text`] wrote.
    ///
    /// # Errors
    /// [`KeyError`]. It quotes nothing of the text.
    pub fn from_secret_text(text: &str) -> Result<Self, KeyError> {
        let text = text.trim().strip_prefix(PRIVATE).ok_or(KeyError::Form("private"))?;
        let (name, hash, seed) = parts(text, "private")?;
        let key = Self::new(name, &seed);
        if hex(key.verifier.hash) == hash {
            Ok(key)
        } else {
            Err(KeyError::Hash)
        }
    }

    /// `PRIVATE+KEY+<name>+<hash>+<base64>`, as other tools for signed notes keep it. For a file that its owner alone can read.
    #[must_use]
    pub fn secret_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new([&[ED25519], self.key.as_bytes().as_slice()].concat());
        let seed = Zeroizing::new(STANDARD.encode(&*seed));
        Zeroizing::new(format!(
            "{PRIVATE}{}+{}+{}",
            self.verifier.name,
            hex(self.verifier.hash),
            *seed
        ))
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text, which ends with a line feed and has no empty line at its end.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let signature = STANDARD.encode([self.verifier.hash.as_slice(), &signature].concat());
        format!("{text}\n{SIGNATURE}{} {signature}\n", self.verifier.name)
    }
}

/// The text of a note that one of these keys has signed. Signatures of others are passed over; one of these keys that is wrong
/// makes the whole note wrong.
///
/// # Errors
/// [`NoteError`]: it is not to be believed.
pub fn opened<'n>(note: &'n str, trusted: &[VerifierKey]) -> Result<&'n str, NoteError> {
    let control = |c: char| c != '\n' && c.is_control();
    if note.len() > MAX_NOTE_BYTES || note.contains(control) {
        return Err(NoteError::Form);
    }
    let (before, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Form)?;
    let text = &note[..=before.len()];
    let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Form)?;
    let mut signed = false;
    for line in signatures.split('\n') {
        let (name, signature) = line
            .strip_prefix(SIGNATURE)
            .and_then(|line| line.split_once(' '))
            .ok_or(NoteError::Form)?;
        let signature = STANDARD.decode(signature).map_err(|_| NoteError::Form)?;
        let (hash, signature) = signature.split_first_chunk::<4>().ok_or(NoteError::Form)?;
        let is_its = |key: &&VerifierKey| key.name.as_str() == name && key.hash == *hash;
        let Some(key) = trusted.iter().find(is_its) else {
            continue;
        };
        let good = signature
            .try_into()
            .is_ok_and(|signature| key.verifies(text, signature));
        if !good {
            return Err(NoteError::Wrong(key.name.to_string()));
        }
        signed = true;
    }
    if signed {
        return Ok(text);
    }
    let names: Vec<&str> = trusted.iter().map(|key| key.name.as_str()).collect();
    Err(NoteError::NotSigned(if names.is_empty() {
        "any key".to_owned()
    } else {
        names.join(" or ")
    }))
}
