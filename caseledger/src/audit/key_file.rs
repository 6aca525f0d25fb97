//! The file of the key that signs checkpoints: one line, as other tools for signed notes keep it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use audit::{KeyError, KeyName, SigningKey};
use rand::RngExt as _;
use zeroize::Zeroizing;

/// A key file is one short line; more is not read.
const LONGEST_FILE_BYTES: u64 = 4096;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It can't be read.
    #[error("the key of checkpoints {path} can't be read ({source}): make one with `caseledger audit key`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could sign with it.
    #[error(
        "the key of checkpoints {path} is open to other users (mode {mode:o}): chmod 600 it, or make another where others have read it"
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is no key.
    #[error("the key of checkpoints {path}: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// It can't be written.
    #[error("the key of checkpoints {path} can't be written ({source}): a key that is there is never replaced")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Reads a key.
///
/// # Errors
/// [`KeyFileError`]: it is absent, damaged, or open to others than its owner.
pub fn load(path: &Path) -> Result<SigningKey, KeyFileError> {
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
    SigningKey::from_secret_text(&text).map_err(|source| KeyFileError::Malformed {
        path: path.to_owned(),
        source,
    })
}

/// Makes a key, in a new file that only its owner may read (mode 0600), on disk when this returns.
///
/// # Errors
/// [`KeyFileError::Unwritable`], also where there is a file already.
pub fn make(path: &Path, name: KeyName) -> Result<SigningKey, KeyFileError> {
    let mut seed = Zeroizing::new([0; 32]);
    rand::make_rng::<rand::rngs::StdRng>().fill(&mut *seed);
    let key = SigningKey::new(name, &seed);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(Zeroizing::new(format!("{}\n", *key.secret_text())).as_bytes())?;
        file.sync_all()?;
        // The directory holds the name: without this a power failure could take it.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| KeyFileError::Unwritable {
        path: path.to_owned(),
        source,
    })?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_once_for_its_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit-key");
        let name: KeyName = "council.example/caseledger".parse().unwrap();
        let made = make(&path, name.clone()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load(&path).unwrap().verifier(), made.verifier());
        assert!(matches!(
            make(&path, name.clone()),
            Err(KeyFileError::Unwritable { .. })
        ));
        let other = make(&folder.path().join("other"), name).unwrap();
        assert_ne!(other.verifier(), made.verifier(), "no two are the same");
    }

    #[test]
    fn what_is_open_to_others_or_no_key_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit-key");
        let key = make(&path, "council.example".parse().unwrap()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            load(&path),
            Err(KeyFileError::OpenToOthers { mode: 0o640, .. })
        ));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let damaged = key.secret_text().replace("PRIVATE", "PRIVATF");
        std::fs::write(&path, &damaged).unwrap();
        let error = load(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Malformed { .. }));
        assert!(!error.to_string().contains(damaged.rsplit('+').next().unwrap()));
        assert!(matches!(
            load(&folder.path().join("none")),
            Err(KeyFileError::Unreadable { .. })
        ));
    }
}
