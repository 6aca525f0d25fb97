//! How an email leaves: through a mail server, or into a folder.

mod folder;
mod smtp;

use std::path::PathBuf;

use lettre::Message;

pub use folder::Folder;
pub use smtp::Smtp;

use crate::error::NotifierError;

/// Where emails go.
#[derive(Clone, Debug)]
pub enum Transport {
    /// To a mail server.
    Smtp(Smtp),
    /// Into a folder, as `.eml` files: for `dev` and for tests.
    Folder(Folder),
}

impl Transport {
    /// A mail server, by its URL: `smtps://user:password@host:465` (TLS from the start), `smtp://host:587?tls=required`
    /// (STARTTLS) or `smtp://host:25` (in clear: only for a relay on the same machine).
    ///
    /// # Errors
    /// [`NotifierError::Setting`], which does not quote the URL: it may hold a password.
    pub fn smtp(url: &str) -> Result<Self, NotifierError> {
        Smtp::new(url, None).map(Self::Smtp)
    }

    /// The same over TLS, with certificates of these authorities (PEM) taken beside those that this machine trusts.
    ///
    /// # Errors
    /// [`NotifierError::Setting`], also where the URL asks for no TLS or what is given holds no certificate.
    pub fn smtp_trusting(url: &str, authorities: &[u8]) -> Result<Self, NotifierError> {
        Smtp::new(url, Some(authorities)).map(Self::Smtp)
    }

    /// A folder; it is made where it is not there.
    #[must_use]
    pub fn folder(directory: impl Into<PathBuf>) -> Self {
        Self::Folder(Folder::new(directory.into()))
    }

    /// Hands the email over. Once it returns, the email is the mail server's affair, or on disk.
    ///
    /// # Errors
    /// [`Undelivered`]. Where it is not lasting, the email may have arrived all the same: an answer can get lost.
    pub async fn send(&self, email: &Email) -> Result<(), Undelivered> {
        match self {
            Self::Smtp(smtp) => smtp.send(email).await,
            Self::Folder(folder) => folder.send(email).await,
        }
    }
}

/// An email, and the name of its file.
#[derive(Clone, Debug)]
pub struct Email {
    /// The email.
    pub message: Message,
    /// `<position>-<notice>-<short id>.eml`: the same for each attempt.
    pub file_name: String,
}

/// An email was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the email was not taken ({code}){}", if *lasting { ": do not send it again" } else { ": send it again later" })]
pub struct Undelivered {
    /// The mail server's reply code, such as `451`, or a word, such as `timeout`.
    pub code: String,
    /// Whether sending it again is of no use.
    pub lasting: bool,
}

impl Undelivered {
    /// Sending it again later may help.
    pub fn for_now(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            lasting: false,
        }
    }

    /// Sending it again is of no use.
    pub fn for_good(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            lasting: true,
        }
    }
}
