//! The hook for virus scanning.

use async_trait::async_trait;

/// What a scanner says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found. This is no proof that there is nothing.
    Clean,
    /// Something was found.
    Infected {
        /// What the scanner calls it.
        name: String,
    },
}

/// The scanner gave no verdict. A file without one is not kept.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Back off and try again.
    #[error("the virus scanner can't be reached: wait and try again; without its verdict no file is kept")]
    Unreachable(#[source] std::io::Error),
    /// Back off and try again.
    #[error("the virus scanner did not answer in time: wait and try again; without its verdict no file is kept")]
    TooSlow,
    /// Look at the scanner's own log: it took no file of this size, or is no scanner of this protocol.
    #[error("the virus scanner gave no verdict but {answer:?}: read its log, and check its limits on size")]
    NoVerdict {
        /// The beginning of what it said, at most 100 printable characters.
        answer: String,
    },
}

/// Looks for viruses in a file. Implementations give an error rather than a guess.
#[async_trait]
pub trait Scanner: Send + Sync {
    /// Scans the bytes as they came from the sender.
    ///
    /// # Errors
    /// [`ScanError`] where there is no verdict; the file must not be kept then.
    async fn scan(&self, bytes: &[u8]) -> Result<Verdict, ScanError>;
}

/// Finds nothing. For councils that scan before files come here, and for development.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoScanner;

#[async_trait]
impl Scanner for NoScanner {
    async fn scan(&self, _: &[u8]) -> Result<Verdict, ScanError> {
        Ok(Verdict::Clean)
    }
}
