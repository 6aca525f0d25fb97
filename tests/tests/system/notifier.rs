//! The notifier on a real log: what lands in which inbox, how often, and what a case is told of it.

mod case_book;
mod catching_up;
mod faults;
mod mail_server;
mod who;
mod world;

use std::io;
use std::sync::{Arc, Mutex};

use notifier::{MessageId, Transport};
use schemas::command::Decider;
use schemas::event::{NotificationFailed, NotificationSent, OutcomeKind};
use schemas::{CaseId, CustomerId};
use system_tests::eventually;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use mail_server::{MailServer, header};
use world::{BEGINNING, SOON, World};

/// Collects what is logged.
#[derive(Clone, Default)]
struct LogLines(Arc<Mutex<Vec<u8>>>);

impl LogLines {
    /// Collects everything, the least important too, that this thread logs until the guards are dropped.
    fn collect(&self) -> [impl Drop; 2] {
        let lines = self.clone();
        let everything = || {
            tracing_subscriber::fmt()
                .with_max_level(LevelFilter::TRACE)
                .with_ansi(false)
        };
        // While there is one subscriber only, whichever thread comes to a line first decides whether it is logged at all, and
        // those of other tests have none: so there are two.
        let second = everything().with_writer(io::sink).finish().set_default();
        let first = everything().with_writer(move || lines.clone()).finish().set_default();
        [first, second]
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text of each part of a multipart email, by its content type, decoded.
fn parts(email: &str) -> Vec<(String, String)> {
    let (_, kind) = email.split_once("Content-Type: multipart/alternative;").unwrap();
    let (_, boundary) = kind.split_once("boundary=\"").unwrap();
    let (boundary, body) = boundary.split_once('"').unwrap();
    let pieces: Vec<&str> = body.split(&format!("--{boundary}")).skip(1).collect();
    let (last, pieces) = pieces.split_last().unwrap();
    assert!(last.starts_with("--"), "the end is marked");
    let read = |piece: &&str| {
        let piece = piece.trim_start();
        let (_, text) = piece.split_once("\r\n\r\n").unwrap();
        assert_eq!(header(piece, "Content-Transfer-Encoding"), "quoted-printable");
        (header(piece, "Content-Type"), unquoted(text))
    };
    pieces.iter().map(read).collect()
}

/// Decodes quoted-printable (RFC 2045 section 6.7).
fn unquoted(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.bytes();
    while let Some(byte) = rest.next() {
        let decoded = if byte == b'=' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
        } else {
            byte
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).unwrap()
}

/// The Message-ID that the notice of the case's first event of this name must carry.
async fn message_id(world: &World, case: CaseId, event: &str, recipient: CustomerId) -> String {
    let about = world.on_case(case, event).await.remove(0).event_id;
    MessageId::new(about, recipient, "example.gov.uk").as_str().to_owned()
}

async fn sent(world: &World, case: CaseId) -> Vec<NotificationSent> {
    let events = world.on_case(case, "NotificationSent").await;
    events
        .iter()
        .map(|event| serde_json::from_str(&event.payload).unwrap())
        .collect()
}

async fn failed(world: &World, case: CaseId) -> Vec<NotificationFailed> {
    let events = world.on_case(case, "NotificationFailed").await;
    events
        .iter()
        .map(|event| serde_json::from_str(&event.payload).unwrap())
        .collect()
}

#[tokio::test]
async fn a_resident_is_told_of_the_request_and_of_its_end() {
    let lines = LogLines::default();
    let _collecting = lines.collect();
    let world = World::new().await;
    let customer = world.customer("Siân Llŷr", Some("sian@example.org")).await;
    let case = world.submitted(1, Some(customer)).await;
    let notifier = world.start(world.folder()).await;
    world
        .until(
            1,
            "SELECT count(*) FROM notifier.deliveries WHERE recorded = 'accepted'",
        )
        .await;
    world.closed(case, customer, "Doedd y bin ddim allan – <tŷ> £5").await;
    world
        .until(
            2,
            "SELECT count(*) FROM notifier.deliveries WHERE recorded = 'accepted'",
        )
        .await;
    notifier.stop().await;

    let emails = world.emails();
    assert_eq!(emails.len(), 2);
    assert!(
        emails[0].0.contains("-request_received-") && emails[1].0.contains("-request_closed-"),
        "{emails:?}"
    );
    let mut expected = Vec::new();
    for event in ["RequestSubmitted", "RequestClosed"] {
        expected.push(message_id(&world, case, event, customer).await);
    }
    for ((_, email), id) in emails.iter().zip(&expected) {
        assert!(email.is_ascii());
        assert_eq!(&header(email, "Message-ID"), id);
        assert_eq!(
            header(email, "From"),
            "\"Borough of Example\" <no-reply@example.gov.uk>"
        );
        assert_eq!(header(email, "To"), "=?utf-8?b?U2nDom4gTGzFt3I=?= <sian@example.org>");
        assert_eq!(header(email, "Date"), "Wed, 01 Jul 2026 09:00:00 +0000");
        assert_eq!(header(email, "Auto-Submitted"), "auto-generated");
        assert_eq!(header(email, "MIME-Version"), "1.0");
        let parts = parts(email);
        let kinds: Vec<&str> = parts.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["text/plain; charset=utf-8", "text/html; charset=utf-8"]);
        assert!(
            parts
                .iter()
                .all(|(_, text)| text.contains("Dear Siân Llŷr") && text.contains("Missed bin"))
        );
    }
    let closing = parts(&emails[1].1);
    assert!(
        closing[0].1.contains("Doedd y bin ddim allan – <tŷ> £5"),
        "{}",
        closing[0].1
    );
    assert!(
        closing[1].1.contains("Doedd y bin ddim allan – &lt;tŷ&gt; £5"),
        "{}",
        closing[1].1
    );

    let told = sent(&world, case).await;
    let ids: Vec<&str> = told.iter().map(|notice| notice.message_id.as_str()).collect();
    assert_eq!(ids, expected);
    assert!(
        told.iter()
            .all(|notice| notice.recipient == customer && notice.attempts == 1)
    );

    let logged = lines.text();
    assert!(logged.contains("a notice was sent"), "nothing was collected");
    for personal in ["Siân", "sian@", "Doedd"] {
        assert!(!logged.contains(personal), "{personal} is in the log");
    }
}

#[tokio::test]
async fn a_closing_is_told_as_decided_where_an_officer_answers_for_it_and_as_reported_otherwise() {
    let world = World::new().await;
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    let officer = Decider::Officer {
        id: "m.hughes".parse().unwrap(),
    };
    let reasons = "It stood behind the gate.\nNow it is empty.";
    for (number, decided_by) in [(1, Some(officer)), (2, None)] {
        let case = world.submitted(number, Some(customer)).await;
        let outcome = ("collected", OutcomeKind::Completion);
        world.closed_as(case, customer, outcome, decided_by, reasons).await;
    }
    let notifier = world.start(world.folder()).await;
    world.until_all_is_done().await;
    notifier.stop().await;
    let emails = world.emails();
    let closings = emails.iter().filter(|(name, _)| name.contains("-request_closed-"));
    let closings: Vec<_> = closings.map(|(_, email)| parts(email)).collect();
    assert_eq!(closings.len(), 2);
    let headings = [
        ("What was decided: ", "The reasons: "),
        ("What was reported: ", "What we were told: "),
    ];
    for (closing, (outcome, why)) in closings.iter().zip(headings) {
        for (_, text) in closing {
            assert!(text.contains(outcome) && text.contains(why), "{text}");
        }
        let (plain, html) = (&closing[0].1, &closing[1].1);
        assert!(plain.contains("behind the gate.\r\nNow it"), "{plain}");
        assert!(
            html.contains("white-space: pre-line") && html.contains("behind the gate.\r\nNow it"),
            "{html}"
        );
    }
}

#[tokio::test]
async fn a_mail_server_is_told_the_envelope_and_gets_the_email_whole() {
    let world = World::new().await;
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    let case = world.submitted(1, Some(customer)).await;
    // A line that begins with a dot must arrive as it was (RFC 5321 section 4.5.2).
    world.closed(case, customer, ".\n..hidden\n.").await;
    let server = MailServer::start([]).await;
    let notifier = world.start(Transport::smtp(&server.url()).unwrap()).await;
    world
        .until(
            2,
            "SELECT count(*) FROM notifier.deliveries WHERE recorded = 'accepted'",
        )
        .await;
    notifier.stop().await;

    let mut taken = server.taken();
    assert_eq!(taken.len(), 2);
    taken.sort_by_key(|email| !email.header("Subject").starts_with("We have"));
    for email in &taken {
        assert_eq!(
            (email.from.as_str(), email.to.as_str()),
            ("no-reply@example.gov.uk", "ada@example.org")
        );
    }
    assert_eq!(
        taken[1].header("Message-ID"),
        message_id(&world, case, "RequestClosed", customer).await
    );
    assert!(taken[1].text.contains("\r\n..hidden\r\n.\r\n"), "{}", taken[1].text);
}

#[tokio::test]
async fn neither_a_second_notifier_nor_a_rebuilt_one_sends_anything_twice() {
    const CASES: i64 = 12;
    let world = World::new().await;
    let customer = world.customer("Ada Lovelace", Some("ada@example.org")).await;
    for number in 1..=CASES {
        world.submitted(number, Some(customer)).await;
    }
    let server = MailServer::start([]).await;
    let transport = || Transport::smtp(&server.url()).unwrap();
    let (one, two) = (world.start(transport()).await, world.start(transport()).await);
    world
        .until(
            CASES,
            "SELECT count(*) FROM notifier.deliveries WHERE recorded = 'accepted'",
        )
        .await;
    world.until_all_is_done().await;
    one.stop().await;
    two.stop().await;
    let mut ids: Vec<String> = server.taken().iter().map(|email| email.header("Message-ID")).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), server.taken().len()), (12, 12));

    // What it knows of customers and cases may be lost and read from the log again; its deliveries are its memory.
    sqlx::raw_sql("TRUNCATE notifier.cases, notifier.contacts; UPDATE notifier.checkpoint SET position = 0")
        .execute(&world.owner)
        .await
        .unwrap();
    world.clock.pass(std::time::Duration::from_secs(3600));
    let rebuilt = world.start(transport()).await;
    world.until_all_is_done().await;
    let later = world.submitted(CASES + 1, Some(customer)).await;
    eventually("the later case is told", SOON, || async {
        sent(&world, later).await.len() == 1
    })
    .await;
    rebuilt.stop().await;
    assert_eq!(server.taken().len(), 13);
    assert_eq!(
        world.number("SELECT count(*) FROM notifier.deliveries").await,
        CASES + 1
    );
    assert_eq!(
        world
            .number("SELECT count(*) FROM ledger.events WHERE event_type = 'NotificationSent'")
            .await,
        CASES + 1
    );
    assert_eq!(world.clock.now(), BEGINNING + std::time::Duration::from_secs(3600));
}
