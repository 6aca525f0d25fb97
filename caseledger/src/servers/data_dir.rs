//! The data directory: who works in it, and the secrets kept there.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::account::running_as_root;
use super::error::{Doing, ServerError};

/// How long somebody who has the directory may take to go: a killed process holds its lock until the system has buried it, and who
/// starts the next one in that moment should not be told that it runs.
const LONGEST_DYING: Duration = Duration::from_secs(1);

/// Between two looks whether it is gone.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A data directory that this process alone works in, for as long as the value lives.
///
/// Each server has its own directory below it; `log/` holds their output and `secrets/` what was generated once.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    temporary: bool,
    /// Locked while we work here. The lock goes with the process, however it ends.
    _lock: File,
}

impl DataDir {
    /// Opens `path`, and makes it where it does not exist.
    ///
    /// # Errors
    /// [`ServerError::Busy`] where another process has it open, and still has a second later.
    pub fn open(path: &Path) -> Result<DataDir, ServerError> {
        // Others may pass through: PostgreSQL runs as another user where we are root. What is inside is closed to them.
        make_directory(path, 0o755)?;
        DataDir::lock(path, false)
    }

    /// A new directory that is deleted when its server stops, or when this value goes.
    ///
    /// Each server needs one of its own.
    ///
    /// # Errors
    /// [`ServerError::System`] where the directory for temporary files cannot be written.
    pub fn temporary() -> Result<DataDir, ServerError> {
        let path = std::env::temp_dir().join(format!("caseledger-{}", random_hex()));
        make_directory(&path, 0o700)?;
        DataDir::lock(&path, true)
    }

    /// Where the data is when nobody says otherwise: `/var/lib/caseledger` for root, whose own directory PostgreSQL's
    /// account cannot enter, and `$XDG_DATA_HOME/caseledger` for everybody else.
    ///
    /// # Errors
    /// [`ServerError::NoHome`] where the environment names no home.
    pub fn default_path() -> Result<PathBuf, ServerError> {
        if running_as_root() {
            return Ok(PathBuf::from("/var/lib/caseledger"));
        }
        let named = |variable| {
            std::env::var_os(variable)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let data_home = named("XDG_DATA_HOME").or_else(|| Some(named("HOME")?.join(".local/share")));
        data_home.map(|home| home.join("caseledger")).ok_or(ServerError::NoHome)
    }

    /// The directory, absolute and without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the servers' output goes.
    pub fn log_dir(&self) -> PathBuf {
        self.path.join("log")
    }

    /// A secret of this directory: 256 random bits in hexadecimal, generated at the first call and kept in a file that
    /// only we can read.
    ///
    /// # Errors
    /// [`ServerError::System`] where the file cannot be read or written.
    pub fn secret(&self, name: &str) -> Result<String, ServerError> {
        let path = self.secrets_dir().join(name);
        match std::fs::read_to_string(&path) {
            Ok(secret) => return Ok(secret.trim_end().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(ServerError::System {
                    doing: format!("read {}", path.display()),
                    source,
                });
            }
        }
        let secret = random_hex();
        write_private(&path, &secret)?;
        Ok(secret)
    }

    /// Where the secrets are.
    pub(super) fn secrets_dir(&self) -> PathBuf {
        self.path.join("secrets")
    }

    /// Whether the directory is to be deleted after its server has stopped.
    pub(super) fn is_temporary(&self) -> bool {
        self.temporary
    }

    fn lock(path: &Path, temporary: bool) -> Result<DataDir, ServerError> {
        let path = path.canonicalize().doing(|| format!("find {}", path.display()))?;
        for (name, mode) in [("log", 0o700), ("secrets", 0o700)] {
            make_directory(&path.join(name), mode)?;
        }
        let file = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&file)
            .doing(|| format!("open {}", file.display()))?;
        let given_up = Instant::now() + LONGEST_DYING;
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(DataDir {
                        path,
                        temporary,
                        _lock: lock,
                    });
                }
                Err(TryLockError::WouldBlock) if Instant::now() < given_up => std::thread::sleep(LOOK_AGAIN),
                Err(TryLockError::WouldBlock) => return Err(ServerError::Busy { path }),
                Err(TryLockError::Error(source)) => {
                    return Err(ServerError::System {
                        doing: format!("lock {}", file.display()),
                        source,
                    });
                }
            }
        }
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if self.temporary {
            // Its server's watcher has done this already, where there was one.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Makes a directory with `mode`, and the ones above it where they are missing; leaves an existing one as it is.
pub(crate) fn make_directory(path: &Path, mode: u32) -> Result<(), ServerError> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .doing(|| format!("make {}", path.display()))
}

/// Writes a file that only we can read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), ServerError> {
    let unfinished = path.with_extension("new");
    let written = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&unfinished, path));
    written.doing(|| format!("write {}", path.display()))
}

/// 256 bits from the system's random numbers, in hexadecimal.
pub(crate) fn random_hex() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
