//! The file that a server writes its output to.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::{Doing, ServerError};

/// How much of a log an error quotes.
const TAIL_LINES: usize = 8;

/// The output of one server, from a point on.
#[derive(Debug, Clone)]
pub(super) struct Log {
    server: &'static str,
    path: PathBuf,
    /// Bytes that were there before.
    start: u64,
}

impl Log {
    /// The log in `directory`, from its present end on.
    pub(super) fn from_now(server: &'static str, directory: &Path) -> Log {
        let path = directory.join(format!("{server}.log"));
        let start = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Log { server, path, start }
    }

    /// Opens the file for a server to write to.
    pub(super) fn open(&self) -> Result<File, ServerError> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.path);
        file.doing(|| format!("open {}", self.path.display()))
    }

    /// What was written since the start.
    pub(super) fn text(&self) -> String {
        let read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.start))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            std::io::Result::Ok(bytes)
        };
        String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
    }

    /// An error that quotes the last lines.
    pub(super) fn refused(&self, what: impl Into<String>) -> ServerError {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
        ServerError::Refused {
            server: self.server,
            what: what.into(),
            log: self.path.clone(),
            tail,
        }
    }
}
