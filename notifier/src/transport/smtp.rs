//! Emails to a mail server.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use url::Url;

use super::{Email, Undelivered};
use crate::error::NotifierError;

/// How long the mail server may take to take up a connection. The mail library bounds nothing else.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the whole hand-over of one email may take. RFC 5321 section 4.5.3.2.6 gives a server ten minutes to answer after the
/// end of the data alone, as it may have to look through the email first: who hangs up earlier sends an email again that
/// was taken.
const SEND_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Reply codes of the 5xx kind that speak of the server or of our account on it, not of this recipient: 500, 502 to 504 (it does
/// not know a command), 521 (it takes no mail), 530, 534, 535, 538 (it wants another log-in), 554 (it serves nobody, or not us).
/// A wrong password, or our address on a block list, must not fail everybody's notices for good.
const ABOUT_THE_SERVER: [u16; 10] = [500, 502, 503, 504, 521, 530, 534, 535, 538, 554];

/// Reply codes that speak of the recipient, unless an enhanced code (RFC 3463) says that it is a matter of policy: 5.7.x.
const ABOUT_THE_SERVER_BY_POLICY: [u16; 2] = [550, 553];

/// What a certificate in PEM form ends with.
const END_OF_CERTIFICATE: &str = "-----END CERTIFICATE-----";

/// A mail server (RFC 5321), reached over a pool of connections.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Smtp {
    pub(super) fn new(url: &str, authorities: Option<&[u8]>) -> Result<Self, NotifierError> {
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
        let builder = match authorities {
            Some(pem) => builder.tls(trusting(url, pem).map_err(|reason| unusable(&reason))?),
            None => builder,
        };
        Ok(Self {
            transport: builder.timeout(Some(CONNECT_TIMEOUT)).build(),
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

/// TLS as the URL asks for it, with certificates of these authorities taken too.
fn trusting(url: &str, authorities: &[u8]) -> Result<Tls, String> {
    let parsed = Url::parse(url).map_err(|_| "it is no URL".to_owned())?;
    let host = parsed.host_str().ok_or("it names no host")?;
    let mut parameters = TlsParameters::builder(host.trim_matches(['[', ']']).to_owned());
    let text = String::from_utf8_lossy(authorities);
    let mut known = 0;
    for block in text
        .split_inclusive(END_OF_CERTIFICATE)
        .filter(|block| block.contains(END_OF_CERTIFICATE))
    {
        let read = Certificate::from_pem(block.as_bytes())
            .map_err(|_| "the file of its authorities holds no certificate in PEM form")?;
        parameters = parameters.add_root_certificate(read);
        known += 1;
    }
    if known == 0 {
        return Err("the file of its authorities holds no certificate in PEM form".to_owned());
    }
    let parameters = parameters
        .build()
        .map_err(|_| "the certificates of its authorities can't be used".to_owned())?;
    let insists = parsed
        .query_pairs()
        .any(|(name, value)| name == "tls" && value == "required");
    match parsed.scheme() {
        "smtps" => Ok(Tls::Wrapper(parameters)),
        "smtp" if insists => Ok(Tls::Required(parameters)),
        _ => Err("authorities are named and no TLS is asked for: write smtps://… or add ?tls=required".to_owned()),
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
        let about_the_server = ABOUT_THE_SERVER.contains(&code)
            || ABOUT_THE_SERVER_BY_POLICY.contains(&code) && is_about_policy(&words_of(error));
        let lasting = error.is_permanent() && !about_the_server;
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

/// What the server wrote after its reply code. It may quote the address: only look at it.
fn words_of(error: &SmtpError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// Whether a server's words begin with an enhanced status code (RFC 2034) of the subject security or policy: 5.7.x.
fn is_about_policy(words: &str) -> bool {
    let code = words.split_whitespace().next().unwrap_or_default();
    code.strip_prefix("5.7.")
        .is_some_and(|detail| !detail.is_empty() && detail.bytes().all(|byte| byte.is_ascii_digit()))
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
            assert!(Smtp::new(good, None).is_ok(), "{good}");
        }
        for wrong in [
            "smtp://user:hush@mail.example:587",
            "SMTP://user:hush@mail.example:587",
            "smtp://user:hush@mail.example:587?tls=opportunistic",
            "http://user:hush@mail.example",
            "user:hush@mail.example",
            "",
        ] {
            let error = Smtp::new(wrong, None).unwrap_err();
            assert!(matches!(error, NotifierError::Setting { .. }), "{wrong}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
    }

    #[tokio::test]
    async fn authorities_are_of_use_with_tls_only() {
        let issued = b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----";
        for (url, authorities) in [
            ("smtps://mail.example", b"nothing".as_slice()),
            ("smtps://mail.example", issued),
            ("smtp://mail.example:587", issued),
        ] {
            assert!(
                matches!(Smtp::new(url, Some(authorities)), Err(NotifierError::Setting { .. })),
                "{url}"
            );
        }
    }

    #[test]
    fn a_server_may_take_the_ten_minutes_that_the_standard_gives_it() {
        // Beside the connection and the answer after the data there are a few commands more.
        let after_data = Duration::from_secs(10 * 60);
        assert!(SEND_TIMEOUT > CONNECT_TIMEOUT + after_data + Duration::from_secs(60));
    }

    #[test]
    fn only_an_enhanced_code_of_policy_is_one() {
        for words in ["5.7.1 blocked", "5.7.26 unauthenticated", "5.7.1"] {
            assert!(is_about_policy(words), "{words}");
        }
        for words in [
            "",
            "no",
            "5.1.1 unknown",
            "5.70.1 no",
            "5.7. no",
            "5.7.x no",
            "see 5.7.1",
            "4.7.1 later",
        ] {
            assert!(!is_about_policy(words), "{words}");
        }
    }

    #[tokio::test]
    async fn the_password_is_not_printed() {
        let smtp = Smtp::new("smtps://user:hush@mail.example:465", None).unwrap();
        assert!(!format!("{smtp:?}").contains("hush"));
    }
}
