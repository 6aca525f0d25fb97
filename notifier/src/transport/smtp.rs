//! Emails to a mail server.

use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{Email, Undelivered};
use crate::error::NotifierError;

/// How long the mail server may take for one command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the whole hand-over of one email may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// Reply codes of the 5xx kind that speak of the server or of our account on it, not of this email: 500, 502 to 504 (it does not
/// know a command), 521 (it takes no mail), 530, 534, 535, 538 (it wants another log-in). A wrong password must not fail
/// everybody's notices for good.
const ABOUT_THE_SERVER: [u16; 9] = [500, 502, 503, 504, 521, 530, 534, 535, 538];

/// A mail server (RFC 5321), reached over a pool of connections.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Smtp {
    pub(super) fn new(url: &str) -> Result<Self, NotifierError> {
        let unusable = |reason: &str| NotifierError::Setting {
            setting: "the mail server's URL",
            reason: reason.to_owned(),
        };
        if logs_in_without_tls(url) {
            return Err(unusable(
                "it would send the password in clear: write smtps://… or add ?tls=required",
            ));
        }
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| unusable("write it as smtps://user:password@host:465 or smtp://host:587?tls=required"))?;
        Ok(Self {
            transport: builder.timeout(Some(COMMAND_TIMEOUT)).build(),
        })
    }

    pub(super) async fn send(&self, email: &Email) -> Result<(), Undelivered> {
        let (envelope, bytes) = (email.message.envelope(), email.message.formatted());
        match tokio::time::timeout(SEND_TIMEOUT, self.transport.send_raw(envelope, &bytes)).await {
            Err(_) => Err(Undelivered::for_now("timeout")),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(undelivered(&error, email)),
        }
    }
}

/// Whether the URL holds a login and does not insist on TLS.
fn logs_in_without_tls(url: &str) -> bool {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, query) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
    let insists = query.split(['?', '&']).any(|part| part == "tls=required");
    !scheme.eq_ignore_ascii_case("smtps") && authority.contains('@') && !insists
}

/// What a failure means for this email. What the server wrote is dropped: it likes to quote the address.
fn undelivered(error: &SmtpError, email: &Email) -> Undelivered {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        let lasting = error.is_permanent() && !ABOUT_THE_SERVER.contains(&code);
        return Undelivered {
            code: code.to_string(),
            lasting,
        };
    }
    let international = email
        .message
        .envelope()
        .to()
        .iter()
        .any(|address| !AsRef::<str>::as_ref(address).is_ascii());
    if error.is_client() && international {
        // The server has no SMTPUTF8 (RFC 6531), so it can't be told this address.
        return Undelivered::for_good("smtputf8");
    }
    Undelivered::for_now(if error.is_timeout() {
        "timeout"
    } else if error.is_tls() {
        "tls"
    } else {
        "unreachable"
    })
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The transport holds the password.
        f.debug_struct("Smtp").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_goes_over_tls_or_not_at_all() {
        for good in [
            "smtps://user:hush@mail.example:465",
            "smtp://user:hush@mail.example:587?tls=required",
            "smtp://user:hush@mail.example:587/?tls=required",
            "smtp://127.0.0.1:25",
        ] {
            assert!(Smtp::new(good).is_ok(), "{good}");
        }
        for wrong in [
            "smtp://user:hush@mail.example:587",
            "SMTP://user:hush@mail.example:587",
            "smtp://user:hush@mail.example:587?tls=opportunistic",
            "http://user:hush@mail.example",
            "user:hush@mail.example",
            "",
        ] {
            let error = Smtp::new(wrong).unwrap_err();
            assert!(matches!(error, NotifierError::Setting { .. }), "{wrong}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
    }

    #[tokio::test]
    async fn the_password_is_not_printed() {
        let smtp = Smtp::new("smtps://user:hush@mail.example:465").unwrap();
        assert!(!format!("{smtp:?}").contains("hush"));
    }
}
