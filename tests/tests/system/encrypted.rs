//! Postgres, NATS and the mail server over TLS: taken with a certificate that the named authority issued, and refused with any
//! other.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use bus::{BusClient, NatsAddress, accounts};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use schemas::{AggregateId, ClientName, CommandId};
use serde_json::json;
use system_tests::council::{PATIENCE, example};
use system_tests::{Council, Process, TestPostgres, eventually};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use crate::operation::Told;

/// An authority of the test's own.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate for 127.0.0.1, and its key.
struct Issued {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn issue(&self) -> Issued {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![IpAddr::V4(Ipv4Addr::LOCALHOST).to_string()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued { certificate, key }
    }

    fn write(&self, council: &Council, name: &str) -> String {
        let file = council.path(name);
        std::fs::write(&file, &self.pem).unwrap();
        file.display().to_string()
    }
}

/// The authority that the test's servers have, and one that nobody has: as files.
fn authorities(council: &Council) -> (Authority, String, String) {
    let ours = Authority::new();
    let (trusted, strangers) = (
        ours.write(council, "ca.pem"),
        Authority::new().write(council, "strangers.pem"),
    );
    (ours, trusted, strangers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_taken_with_its_own_certificate_only() {
    let postgres = TestPostgres::start().await;
    let council = Council::on(postgres.database().await).await;
    let (ours, trusted, strangers) = authorities(&council);
    let issued = ours.issue();
    let superuser = council.database.superuser().await;
    let folder: String = sqlx::query_scalar("SHOW data_directory")
        .fetch_one(&superuser)
        .await
        .unwrap();
    for (name, text) in [
        ("server.crt", issued.certificate.pem()),
        ("server.key", issued.key.serialize_pem()),
    ] {
        // The server's account writes it, so that it may read it; a key that others can read is refused.
        let copy = format!(
            "COPY (SELECT unnest(string_to_array('{}', E'\\n'))) TO PROGRAM 'umask 077; cat > {folder}/{name}'",
            text.trim()
        );
        sqlx::raw_sql(&copy).execute(&superuser).await.unwrap();
    }
    sqlx::raw_sql("ALTER SYSTEM SET ssl = on")
        .execute(&superuser)
        .await
        .unwrap();
    sqlx::raw_sql("SELECT pg_reload_conf()")
        .execute(&superuser)
        .await
        .unwrap();
    let through = |ca: &str| {
        let login = council.database_url("relay");
        format!("{login}?sslmode=verify-full&sslrootcert={ca}")
    };
    // With the authority that issued it
    let url = through(&trusted);
    let told = Told::serve(&council, &["relay"], &[("CASELEDGER_DATABASE_URL", &url)]).await;
    told.misses(&[]).await;
    let encrypted: bool = sqlx::query_scalar(
        "SELECT bool_and(ssl.ssl) FROM pg_stat_ssl AS ssl JOIN pg_stat_activity AS activity USING (pid)
         WHERE activity.application_name = 'caseledger relay'",
    )
    .fetch_one(&superuser)
    .await
    .unwrap();
    assert!(encrypted);
    drop(told);
    // With another
    let url = through(&strangers);
    let told = Told::serve(&council, &["relay"], &[("CASELEDGER_DATABASE_URL", &url)]).await;
    told.misses(&["relay postgres"]).await;
    let (_, body) = told.page("/readyz").await.unwrap();
    assert!(body.contains("certificate"), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_is_taken_with_its_own_certificate_only() {
    let council = Council::new().await;
    let (ours, trusted, strangers) = authorities(&council);
    let issued = ours.issue();
    let write = |name: &str, text: String| -> PathBuf {
        std::fs::write(council.path(name), text).unwrap();
        council.path(name)
    };
    let certificate = write("nats.crt", issued.certificate.pem());
    let key = write("nats.key", issued.key.serialize_pem());
    let conf = format!(
        "{}tls {{ cert_file: \"{}\", key_file: \"{}\" }}\n",
        accounts::render(&council.register, &council.service_passwords).unwrap(),
        certificate.display(),
        key.display()
    );
    council.nats.reload(conf).await;
    council.nats.stop().await;
    council.nats.start_again().await;
    let url = format!("tls://127.0.0.1:{}", council.nats.port());
    // With the authority that issued it, a service and a client meet
    let settings = [
        ("CASELEDGER_NATS_URL", url.as_str()),
        ("CASELEDGER_NATS_CA_FILE", &trusted),
    ];
    let told = Told::serve(&council, &["command-service"], &settings).await;
    told.misses(&[]).await;
    let website = ClientName::new("website").unwrap();
    let address = |ca: &str| NatsAddress::new(&url).trusting(Some(ca.into()));
    let client = BusClient::connect(address(&trusted), &website, council.password("website"))
        .await
        .unwrap();
    eventually("the command-service answers", PATIENCE, || async {
        client.result(CommandId(Uuid::new_v4())).await.is_ok()
    })
    .await;
    // With another neither does, nor where nobody says which
    let refused = BusClient::connect(address(&strangers), &website, council.password("website")).await;
    assert!(refused.unwrap_err().to_string().contains("certificate"));
    let refused = BusClient::connect(&url, &website, council.password("website")).await;
    assert!(refused.unwrap_err().to_string().contains("certificate"));
    drop(told);
    let settings = [
        ("CASELEDGER_NATS_URL", url.as_str()),
        ("CASELEDGER_NATS_CA_FILE", &strangers),
    ];
    let told = Told::serve(&council, &["command-service"], &settings).await;
    told.misses(&["command-service nats:answerer", "command-service nats:puller"])
        .await;
    // A file that is none is told at the start
    let missing = council.path("nothing.pem").display().to_string();
    let mut command = council.command();
    command.args(["serve", "relay"]).envs([
        ("CASELEDGER_NATS_URL", url.as_str()),
        ("CASELEDGER_NATS_CA_FILE", &missing),
    ]);
    let mut process = Process::start(&mut command);
    assert_eq!(process.end(PATIENCE).await.code(), Some(3), "{}", process.output());
    assert!(process.output().contains("nothing.pem"), "{}", process.output());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_with_tls_from_the_start_is_taken_with_its_own_certificate_only() {
    a_mail_server_is_taken_with_its_own_certificate_only(Encryption::FromTheStart).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_with_starttls_is_taken_with_its_own_certificate_only() {
    a_mail_server_is_taken_with_its_own_certificate_only(Encryption::StartTls).await;
}

async fn a_mail_server_is_taken_with_its_own_certificate_only(encryption: Encryption) {
    let council = Council::new().await;
    let (ours, trusted, strangers) = authorities(&council);
    let server = MailServer::start(encryption, &ours.issue()).await;
    let _service = council.serve("command-service");
    council.answering().await;
    let website = council.client("website").await;
    let submit = async || {
        let customer = council
            .accept(
                &website,
                "RegisterCustomer",
                None,
                example("RegisterCustomer", json!({})),
            )
            .await
            .aggregate_id;
        let data = example("SubmitRequest", json!({ "customer_id": customer }));
        council.accept(&website, "SubmitRequest", None, data).await.aggregate_id
    };
    let notifier = |ca: &str| {
        let mut command: Command = council.command();
        command
            .args(["serve", "notifier"])
            .env("CASELEDGER_DATABASE_URL", council.database_url("notifier"))
            .env_remove("CASELEDGER_MAIL_DIR")
            .env("CASELEDGER_SMTP_URL", server.url())
            .env("CASELEDGER_SMTP_CA_FILE", ca);
        Process::start(&mut command)
    };
    let owner = council.owner().await;
    // With another's certificate nothing is handed over, and the case is not told that it was
    let distrusting = notifier(&strangers);
    let first: AggregateId = submit().await;
    eventually("the server is refused", PATIENCE, || async {
        let code: Option<String> = sqlx::query_scalar(
            "SELECT last_code FROM notifier.deliveries WHERE case_id = $1 AND state = 'pending' AND attempts > 0",
        )
        .bind(first.uuid())
        .fetch_optional(&owner)
        .await
        .unwrap()
        .flatten();
        code.filter(|code| code == "tls" || code == "unreachable")
    })
    .await;
    assert!(server.taken().is_empty());
    drop(distrusting);
    // With its own the email is taken
    let _notifier = notifier(&trusted);
    submit().await;
    eventually("the server has an email", PATIENCE, || async {
        server
            .taken()
            .iter()
            .any(|email| email.contains("Subject: "))
            .then_some(())
    })
    .await;
}

/// When a mail server begins to speak TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encryption {
    FromTheStart,
    StartTls,
}

/// A mail server that takes nothing in clear.
struct MailServer {
    encryption: Encryption,
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    async fn start(encryption: Encryption, issued: &Issued) -> MailServer {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(issued.certificate.der().to_vec())],
                PrivatePkcs8KeyDer::from(issued.key.serialize_der()).into(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::default();
        let into = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, encryption, acceptor.clone(), Arc::clone(&into)));
            }
        });
        MailServer {
            encryption,
            port,
            taken,
        }
    }

    fn url(&self) -> String {
        match self.encryption {
            Encryption::FromTheStart => format!("smtps://127.0.0.1:{}", self.port),
            Encryption::StartTls => format!("smtp://127.0.0.1:{}?tls=required", self.port),
        }
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

/// Serves one connection; whoever breaks off is no fault of the test's.
async fn serve(mut stream: TcpStream, encryption: Encryption, tls: TlsAcceptor, taken: Arc<Mutex<Vec<String>>>) {
    let greeting = b"220 test ESMTP\r\n";
    if encryption == Encryption::StartTls {
        if stream.write_all(greeting).await.is_err() {
            return;
        }
        let mut lines = BufReader::new(&mut stream);
        let mut line = String::new();
        while lines.read_line(&mut line).await.is_ok_and(|bytes| bytes > 0) {
            let starts = line.starts_with("STARTTLS");
            let answer: &[u8] = match line.as_str() {
                line if line.starts_with("EHLO") => b"250-test\r\n250 STARTTLS\r\n",
                _ if starts => b"220 go ahead\r\n",
                _ => b"530 not in clear\r\n",
            };
            if lines.get_mut().write_all(answer).await.is_err() {
                return;
            }
            if starts {
                break;
            }
            line.clear();
        }
    }
    let Ok(mut stream) = tls.accept(stream).await else {
        return;
    };
    if encryption == Encryption::FromTheStart && stream.write_all(greeting).await.is_err() {
        return;
    }
    let _ = take(stream, &taken).await;
}

async fn take(stream: impl AsyncRead + AsyncWrite + Unpin, taken: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    let (mut line, mut email) = (String::new(), None::<String>);
    loop {
        line.clear();
        if lines.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer: &[u8] = match (&mut email, line.as_str()) {
            (Some(text), ".\r\n") => {
                taken.lock().unwrap().push(std::mem::take(text));
                email = None;
                b"250 taken\r\n"
            }
            (Some(text), line) => {
                text.push_str(line);
                continue;
            }
            (None, line) if line.starts_with("EHLO") => b"250-test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
            (None, line) if line.starts_with("DATA") => {
                email = Some(String::new());
                b"354 go ahead\r\n"
            }
            (None, _) => b"250 ok\r\n",
        };
        lines.get_mut().write_all(answer).await?;
    }
}
