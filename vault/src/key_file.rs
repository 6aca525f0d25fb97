//! The key-encryption key and its file.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::error::{Broken, KeyFileError};
use crate::fingerprint::Fingerprinter;
use crate::letter::LetterKey;
use crate::lookup::LookupKeys;
use crate::secret::Secret;

/// What the file's first line begins with.
const FORM: &str = "caseledger-key-1";

/// What each further line begins with.
const WRAPPING_FORM: &str = "caseledger-wrapping-1";

/// A key file is a few short lines; more is not read.
const LONGEST_FILE_BYTES: u64 = 4096;

const ID_LABEL: &[u8] = b"caseledger.vault.key-file-id.1";
const WRAPPING_LABEL: &[u8] = b"caseledger.vault.wrapping.1";
const FINGERPRINT_LABEL: &[u8] = b"caseledger.vault.fingerprint.1";

/// The key that wraps all others. It lives in a file, never in the database, and never beside the database's backups.
///
/// The file's first line is `caseledger-key-1 <id> <key>`: the key 32 random bytes in base64, the id derived from it,
/// so that a damaged file is noticed. Look-up, fingerprint and letter keys are derived from the same bytes. Who loses the file
/// loses every personal value; who replaces it loses idempotency and look-up with it.
///
/// Each further line, `caseledger-wrapping-1 <id> <key>`, is a later wrapping key: the last of them wraps what is new, and all
/// unwrap what they wrapped ([`rotated`](Self::rotated)).
pub struct KeyEncryptionKey {
    root: Secret,
    id: String,
    /// The wrapping keys by their ids, the one in force last. The first follows from the root.
    wrappings: Vec<(String, Secret)>,
    lookups: LookupKeys,
    letters: LetterKey,
}

impl KeyEncryptionKey {
    /// A new key.
    ///
    /// # Errors
    /// [`Broken`]: stop.
    pub fn generate(rng: &mut impl CryptoRng) -> Result<Self, Broken> {
        Self::from_root(Secret::random(rng))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyFileError`]: it is absent, damaged, or open to other users than its owner.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let unreadable = |source| KeyFileError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::OpenToOthers {
                path: path.to_owned(),
                mode,
            });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(LONGEST_FILE_BYTES)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        let malformed = || KeyFileError::Malformed { path: path.to_owned() };
        let mut lines = text.lines();
        let (id, root) = lines.next().and_then(|line| parse(FORM, line)).ok_or_else(malformed)?;
        let mut key = Self::from_root(root)?;
        if key.id != id {
            return Err(malformed());
        }
        for line in lines {
            let (id, wrapping) = parse(WRAPPING_FORM, line).ok_or_else(malformed)?;
            if id_of(&wrapping)? != id {
                return Err(malformed());
            }
            key.wrappings.push((id.to_owned(), wrapping));
        }
        Ok(key)
    }

    /// The same with one wrapping key more, which is in force from now on. Look-up, fingerprint and letter keys stay: what they made
    /// could not be made anew without every value that it was made of.
    ///
    /// # Errors
    /// [`Broken`]: stop.
    pub fn rotated(mut self, rng: &mut impl CryptoRng) -> Result<Self, Broken> {
        let wrapping = Secret::random(rng);
        self.wrappings.push((id_of(&wrapping)?, wrapping));
        Ok(self)
    }

    /// Writes the key to a new file that only its owner may read (mode 0600), and waits until it is on disk.
    ///
    /// # Errors
    /// [`KeyFileError::Unwritable`], also when there is a file already: none is ever replaced.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyFileError> {
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            let mut write_line = |form: &str, id: &str, secret: &Secret| {
                let key = Zeroizing::new(STANDARD.encode(secret.bytes()));
                let line = Zeroizing::new(format!("{form} {id} {}\n", *key));
                file.write_all(line.as_bytes())
            };
            write_line(FORM, &self.id, &self.root)?;
            for (id, wrapping) in self.wrappings.iter().skip(1) {
                write_line(WRAPPING_FORM, id, wrapping)?;
            }
            file.sync_all()?;
            // The directory holds the name: without this a power failure could take it.
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|source| KeyFileError::Unwritable {
            path: path.to_owned(),
            source,
        })
    }

    /// Its id: that of its first line.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of the wrapping key in force, which each row that it wrapped carries.
    #[must_use]
    pub fn wrapping_id(&self) -> &str {
        self.wrappings.last().map_or(&self.id, |(id, _)| id)
    }

    /// What makes the fingerprints of commands.
    ///
    /// # Errors
    /// [`Broken`]: stop.
    pub fn fingerprinter(&self) -> Result<Fingerprinter, Broken> {
        self.root.derive(&[FINGERPRINT_LABEL]).map(Fingerprinter::new)
    }

    /// The wrapping key in force.
    pub(crate) fn wrapping(&self) -> &Secret {
        self.wrappings.last().map_or(&self.root, |(_, wrapping)| wrapping)
    }

    /// The wrapping key that has this id; none where another file has it.
    pub(crate) fn wrapping_of(&self, id: &str) -> Option<&Secret> {
        self.wrappings
            .iter()
            .find_map(|(known, wrapping)| (known == id).then_some(wrapping))
    }

    pub(crate) fn lookups(&self) -> &LookupKeys {
        &self.lookups
    }

    pub(crate) fn letters(&self) -> &LetterKey {
        &self.letters
    }

    pub(crate) fn from_root(root: Secret) -> Result<Self, Broken> {
        let id = id_of(&root)?;
        Ok(Self {
            wrappings: vec![(id.clone(), root.derive(&[WRAPPING_LABEL])?)],
            id,
            lookups: LookupKeys::derive(&root)?,
            letters: LetterKey::derive(&root)?,
            root,
        })
    }
}

/// What a key is called by: derived from it, so that a damaged one is noticed.
fn id_of(key: &Secret) -> Result<String, Broken> {
    let digest = key.derive(&[ID_LABEL])?;
    let id: String = digest.bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("kek-{id}"))
}

/// The id and the key of a line of this form.
fn parse<'t>(form: &str, line: &'t str) -> Option<(&'t str, Secret)> {
    let mut words = line.split_ascii_whitespace();
    let (Some(found), Some(id), Some(key), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return None;
    };
    if found != form {
        return None;
    }
    let key = Zeroizing::new(STANDARD.decode(key).ok()?);
    Secret::from_slice(&key).map(|root| (id, root))
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyEncryptionKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn key() -> KeyEncryptionKey {
        KeyEncryptionKey::generate(&mut StdRng::seed_from_u64(1)).unwrap()
    }

    #[test]
    fn a_key_file_is_its_owners_and_read_as_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        key().write_new(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let loaded = KeyEncryptionKey::load(&path).unwrap();
        assert_eq!((loaded.id(), loaded.root.bytes()), (key().id(), key().root.bytes()));
        assert!(
            matches!(key().write_new(&path), Err(KeyFileError::Unwritable { .. })),
            "never replaced"
        );
    }

    #[test]
    fn a_file_open_to_others_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        key().write_new(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            KeyEncryptionKey::load(&path),
            Err(KeyFileError::OpenToOthers { mode: 0o640, .. })
        ));
    }

    #[test]
    fn a_damaged_or_absent_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        assert!(matches!(
            KeyEncryptionKey::load(&path),
            Err(KeyFileError::Unreadable { .. })
        ));
        key().write_new(&path).unwrap();
        let line = fs::read_to_string(&path).unwrap();
        let other_key = STANDARD.encode([9; 32]);
        for damaged in [
            "",
            "caseledger-key-1",
            &line.replace("kek-", "kek-0"),
            &format!("{FORM} {} {other_key}", key().id()),
        ] {
            fs::write(&path, damaged).unwrap();
            let error = KeyEncryptionKey::load(&path).unwrap_err();
            assert!(matches!(error, KeyFileError::Malformed { .. }), "{damaged:?}");
        }
    }

    #[test]
    fn a_rotated_file_wraps_with_its_last_key_and_knows_the_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let mut rng = StdRng::seed_from_u64(2);
        let rotated = key().rotated(&mut rng).unwrap().rotated(&mut rng).unwrap();
        rotated.write_new(&path).unwrap();
        let loaded = KeyEncryptionKey::load(&path).unwrap();
        assert_eq!((loaded.id(), loaded.wrapping_id()), (key().id(), rotated.wrapping_id()));
        assert_ne!(loaded.wrapping_id(), loaded.id());
        assert_eq!(loaded.wrapping().bytes(), rotated.wrapping().bytes());
        for (id, wrapping) in &rotated.wrappings {
            assert_eq!(loaded.wrapping_of(id).unwrap().bytes(), wrapping.bytes());
        }
        assert!(loaded.wrapping_of("kek-0000000000000000").is_none());
        assert_eq!(
            loaded.wrapping_of(key().id()).unwrap().bytes(),
            key().wrapping().bytes(),
            "what was wrapped before still opens"
        );
        // A line that was damaged is noticed.
        let text = fs::read_to_string(&path).unwrap();
        let damaged = text.replacen("caseledger-wrapping-1 kek-", "caseledger-wrapping-1 kek-0", 1);
        fs::write(&path, damaged).unwrap();
        assert!(matches!(
            KeyEncryptionKey::load(&path),
            Err(KeyFileError::Malformed { .. })
        ));
    }

    #[test]
    fn neither_debug_nor_an_error_shows_the_key() {
        let secret = STANDARD.encode(key().root.bytes());
        assert!(!format!("{:?}", key()).contains(&secret[..8]));
    }
}
