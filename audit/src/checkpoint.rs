//! Checkpoints (C2SP `tlog-checkpoint`): the size of the log and the root over it, signed.

use crate::note::{self, KeyName, NoteError, SigningKey, VerifierKey};
use crate::tree::Hash;

/// What the log was at one moment. Its origin is the name of the key that signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: KeyName,
    /// How many events it had; the position of the last one.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Its signature.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// What was signed.
    #[error("what was signed is no checkpoint: origin, size and root, a line each")]
    Form,
    /// It speaks of another log than its key does.
    #[error("it is of the log {0}, which is not the name of a key that is trusted")]
    Origin(String),
}

impl Checkpoint {
    /// Its text, which is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// As a signed note.
    #[must_use]
    pub fn signed(&self, key: &SigningKey) -> String {
        key.sign(&self.text())
    }

    /// Reads a signed note. Lines after the root are for others, and passed over.
    ///
    /// # Errors
    /// [`CheckpointError`]: it is not to be believed.
    pub fn open(note: &str, trusted: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let text = note::opened(note, trusted)?;
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Form);
        };
        let checkpoint = Self {
            origin: origin.parse().map_err(|_| CheckpointError::Form)?,
            size: size.parse().map_err(|_| CheckpointError::Form)?,
            root: Hash::from_base64(root).ok_or(CheckpointError::Form)?,
        };
        // A size has one way to be written; a line that is empty can't follow.
        if checkpoint.size.to_string() != size || lines.any(str::is_empty) {
            return Err(CheckpointError::Form);
        }
        if !trusted.iter().any(|key| *key.name() == checkpoint.origin) {
            return Err(CheckpointError::Origin(checkpoint.origin.to_string()));
        }
        Ok(checkpoint)
    }
}
