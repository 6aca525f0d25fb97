//! An email, built: headers that nobody can add to, and two parts that say the same.

use catalogue::Notice;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use schemas::text::{EmailAddress, Line};
use time::OffsetDateTime;

use crate::delivery::MessageId;
use crate::error::NotifierError;

/// The longest domain of a sender: with the rest of a Message-ID (a UUID, `<`, `@` and `>`) it makes the 100 characters that
/// the contract allows it.
const LONGEST_DOMAIN: usize = 100 - 36 - 3;

/// Whom notices come from.
#[derive(Clone, Debug)]
pub struct Sender {
    from: Mailbox,
    reply_to: Option<Mailbox>,
}

impl Sender {
    /// Takes the mailboxes as RFC 5322 writes them, such as `Borough of Example <no-reply@example.gov.uk>`. Bounces go to
    /// `from`, and its domain stands in the Message-IDs.
    ///
    /// # Errors
    /// [`NotifierError::Setting`] where one is not a mailbox, or the domain of `from` is not ASCII or longer than 61
    /// characters.
    pub fn new(from: &str, reply_to: Option<&str>) -> Result<Self, NotifierError> {
        let mailbox = |setting: &'static str, text: &str| {
            let reason = "write it as Name <name@example.org>".to_owned();
            text.parse::<Mailbox>()
                .map_err(|_| NotifierError::Setting { setting, reason })
        };
        let sender = Self {
            from: mailbox("the mailbox that notices come from", from)?,
            reply_to: reply_to
                .map(|text| mailbox("the mailbox for replies", text))
                .transpose()?,
        };
        let unusable = |reason: String| {
            Err(NotifierError::Setting {
                setting: "the mailbox that notices come from",
                reason,
            })
        };
        if !sender.domain().is_ascii() {
            return unusable("write its domain in ASCII (xn--)".to_owned());
        }
        if sender.domain().len() > LONGEST_DOMAIN {
            return unusable(format!(
                "its domain stands in Message-IDs and has room for {LONGEST_DOMAIN} characters there"
            ));
        }
        Ok(sender)
    }

    /// The domain that the Message-IDs carry.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.from.email.domain()
    }
}

/// Whom one email is for, opened. Never stored, never printed.
pub struct Recipient {
    /// The name in full.
    pub name: Line,
    /// The address.
    pub address: EmailAddress,
}

/// The mail library takes a stricter view of addresses than our contract does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recipient's address can't be written into an email")]
pub struct UnusableAddress;

/// Builds the email of one attempt.
///
/// The same arguments give the same bytes. No value can add a header or a line to one: the name and the address are of types
/// without control characters, the subject loses its own, and whatever is not ASCII is encoded (RFC 2047).
///
/// # Errors
/// [`UnusableAddress`].
pub fn build(
    sender: &Sender,
    recipient: &Recipient,
    message_id: &MessageId,
    notice: Notice,
    date: OffsetDateTime,
) -> Result<Message, UnusableAddress> {
    let address: Address = recipient.address.as_str().parse().map_err(|_| UnusableAddress)?;
    let parts = MultiPart::alternative()
        // The parts can't hold it by chance, and it is the same in each attempt.
        .boundary(format!("=_{}", message_id.local_part()))
        .singlepart(part(ContentType::TEXT_PLAIN, notice.text))
        .singlepart(part(ContentType::TEXT_HTML, notice.html));
    let mut message = Message::builder()
        .from(sender.from.clone())
        .to(Mailbox::new(Some(recipient.name.as_str().to_owned()), address))
        .subject(one_line(&notice.subject))
        .date(date.into())
        .message_id(Some(message_id.as_str().to_owned()))
        .header(AutoSubmitted);
    if let Some(reply_to) = &sender.reply_to {
        message = message.reply_to(reply_to.clone());
    }
    // Fails only without sender or recipient.
    message.multipart(parts).map_err(|_| UnusableAddress)
}

fn part(content_type: ContentType, body: String) -> SinglePart {
    SinglePart::builder().header(content_type).body(body)
}

/// A subject without control characters, and with no more than one blank in a row.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Auto-Submitted: auto-generated` (RFC 3834): no out-of-office answer, please.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use schemas::{CustomerId, EventId};
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    const DATE: OffsetDateTime = datetime!(2026-05-01 08:30 UTC);

    fn notice(subject: &str, text: &str) -> Notice {
        Notice {
            subject: subject.to_owned(),
            text: text.to_owned(),
            html: format!("<p>{text}</p>"),
        }
    }

    fn message(name: &str, address: &str, notice: Notice) -> Message {
        let sender = Sender::new(
            "Borough of Example <no-reply@example.gov.uk>",
            Some("help@example.gov.uk"),
        )
        .unwrap();
        let recipient = Recipient {
            name: Line::new(name).unwrap(),
            address: EmailAddress::new(address).unwrap(),
        };
        let id = MessageId::new(
            EventId(Uuid::from_u128(1)),
            CustomerId(Uuid::from_u128(2)),
            sender.domain(),
        );
        build(&sender, &recipient, &id, notice, DATE).unwrap()
    }

    fn written(message: &Message) -> String {
        String::from_utf8(message.formatted()).unwrap()
    }

    fn header_names(message: &Message) -> Vec<String> {
        let text = written(message);
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let lines = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn an_email_says_who_when_and_that_nobody_typed_it() {
        let message = message("Ada Lovelace", "ada@example.org", notice("Your request", "Hello"));
        let header = |name: &'static str| message.headers().get_raw(name).unwrap().to_owned();
        assert_eq!(header("Date"), "Fri, 01 May 2026 08:30:00 +0000");
        assert_eq!(header("Auto-Submitted"), "auto-generated");
        assert_eq!(
            header("Message-ID"),
            "<e5d8c0a0-048a-5db6-8f6e-2be415c1fe78@example.gov.uk>"
        );
        assert_eq!(message.envelope().to().len(), 1);
    }

    #[test]
    fn the_same_arguments_give_the_same_bytes() {
        let one = message("Zoë", "zoe@example.org", notice("Your request", "Hello"));
        let two = message("Zoë", "zoe@example.org", notice("Your request", "Hello"));
        assert_eq!(one.formatted(), two.formatted());
    }

    #[test]
    fn no_value_adds_a_header() {
        let plain = header_names(&message("Ada", "ada@example.org", notice("Your request", "Hello")));
        for subject in [
            "Your\r\nBcc: all@example.org",
            "Your\nBcc: all@example.org",
            "Your\rBcc: x@example.org",
            "\u{0}\u{85}Bcc: y",
        ] {
            let message = message(
                "Ada",
                "ada@example.org",
                notice(subject, "\r\n.\r\nBcc: all@example.org\r\n"),
            );
            assert_eq!(header_names(&message), plain, "{subject:?}");
            assert_eq!(message.envelope().to().len(), 1);
        }
        for name in [
            "\"Ada\" <all@example.org>",
            "Ada, all@example.org",
            "=?utf-8?q?a=0D=0ABcc:_b?=",
            "Ada\u{2028}Bcc: b",
        ] {
            let message = message(name, "ada@example.org", notice("Your request", "Hello"));
            assert_eq!(header_names(&message), plain, "{name:?}");
            assert_eq!(message.envelope().to().len(), 1);
        }
        assert!(Line::new("Ada\r\nBcc: all@example.org").is_err());
        assert!(EmailAddress::new("ada@example.org\r\nBcc: all@example.org").is_err());
    }

    #[test]
    fn what_is_not_ascii_or_too_long_is_encoded() {
        let text = format!("{}\n{}", "Größe ".repeat(500), "x".repeat(5_000));
        let message = message(
            &"Žofie Čapková ".repeat(10),
            "zofie@example.org",
            notice(&"Überfüllte Tonne ".repeat(20), &text),
        );
        let text = written(&message);
        assert!(text.is_ascii());
        // RFC 5322 section 2.1.1 allows 998 characters; a header with an address in it may pass the 78 that it would like.
        assert!(text.split("\r\n").all(|line| line.len() < 100));
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "no bare line ends");
    }

    #[test]
    fn a_sender_is_a_mailbox() {
        for wrong in ["", "no-reply", "Name <no-reply>", "a@b.example\r\nBcc: c@d.example"] {
            assert!(
                matches!(Sender::new(wrong, None), Err(NotifierError::Setting { .. })),
                "{wrong:?}"
            );
        }
        let long = |length: usize| format!("a@{}.{}.example", "b".repeat(40), "c".repeat(length - 49));
        assert!(Sender::new(&long(LONGEST_DOMAIN), None).is_ok());
        assert!(Sender::new(&long(LONGEST_DOMAIN + 1), None).is_err());
        assert!(Sender::new("a@müller.example", None).is_err());
    }

    #[test]
    fn the_longest_message_id_can_be_recorded() {
        let domain = "d".repeat(LONGEST_DOMAIN);
        let id = MessageId::new(EventId(Uuid::from_u128(1)), CustomerId(Uuid::from_u128(2)), &domain);
        assert_eq!(
            schemas::text::ExternalId::new(id.as_str()).unwrap().as_str(),
            id.as_str()
        );
    }

    #[test]
    fn welsh_arrives_as_it_was_written() {
        let words = "Annwyl Siân, Tŷ Gŵyr: £5 – “diolch”";
        let message = message("Siân Llŷr", "sian@example.org", notice("Eich cais: tŷ", words));
        let text = written(&message);
        assert!(text.is_ascii() && !text.contains("Gŵyr"));
        assert!(text.contains("Content-Type: text/plain; charset=utf-8"), "{text}");
        assert!(text.contains("Content-Type: text/html; charset=utf-8"), "{text}");
        let plain = text.find("text/plain").unwrap();
        assert!(
            plain < text.find("text/html").unwrap(),
            "the best part comes last (RFC 2046 section 5.1.4)"
        );
    }
}
