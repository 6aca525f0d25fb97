//! A small mail server (RFC 5321) on a real socket, which can be told to refuse, to hang up, or to keep its answer back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What the server does with the next email. Where nothing is planned it takes it.
#[derive(Clone)]
pub enum Plan {
    /// Answers `RCPT` with this line.
    RefuseRecipient(&'static str),
    /// Answers the end of the email with this line.
    Refuse(&'static str),
    /// Takes the email and closes the connection instead of answering.
    TakeAndHangUp,
    /// Takes the email and answers only when told to.
    TakeAndWait(Arc<Notify>),
}

/// An email as the server got it.
#[derive(Clone, Debug)]
pub struct Taken {
    pub from: String,
    pub to: String,
    pub text: String,
}

impl Taken {
    /// The value of a header that stands on one line.
    pub fn header(&self, name: &str) -> String {
        header(&self.text, name)
    }
}

/// The value of a header that stands on one line.
pub fn header(email: &str, name: &str) -> String {
    let (head, _) = email.split_once("\r\n\r\n").unwrap();
    let prefix = format!("{name}: ");
    let found: Vec<&str> = head
        .split("\r\n")
        .filter_map(|line| line.strip_prefix(&prefix))
        .collect();
    assert_eq!(found.len(), 1, "{name} in {head}");
    found[0].to_owned()
}

#[derive(Default)]
struct State {
    plans: Mutex<VecDeque<Plan>>,
    taken: Mutex<Vec<Taken>>,
}

/// The server. It ends with the value.
pub struct MailServer {
    port: u16,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

impl MailServer {
    pub async fn start(plans: impl IntoIterator<Item = Plan>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            plans: Mutex::new(plans.into_iter().collect()),
            ..State::default()
        });
        let serving = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                // A connection that breaks is the client's affair.
                tokio::spawn(async move { drop(serve(stream, &state).await) });
            }
        });
        Self { port, state, accepting }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The emails that it was given whole, whatever it answered.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.taken.lock().unwrap().clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test ESMTP\r\n").await?;
    let (mut from, mut to, mut plan) = (String::new(), String::new(), None);
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8",
            "MAIL" => {
                from = between_brackets(&line);
                plan = state.plans.lock().unwrap().pop_front();
                "250 sender fine"
            }
            "RCPT" => {
                to = between_brackets(&line);
                match plan {
                    Some(Plan::RefuseRecipient(answer)) => answer,
                    _ => "250 recipient fine",
                }
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let text = read_email(&mut stream).await?;
                state.taken.lock().unwrap().push(Taken {
                    from: from.clone(),
                    to: to.clone(),
                    text,
                });
                match plan.take() {
                    Some(Plan::Refuse(answer)) => answer,
                    Some(Plan::TakeAndHangUp) => return Ok(()),
                    Some(Plan::TakeAndWait(go_on)) => {
                        go_on.notified().await;
                        "250 taken at last"
                    }
                    _ => "250 taken",
                }
            }
            "NOOP" | "RSET" => "250 fine",
            "QUIT" => "221 bye",
            _ => "502 what?",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        if verb == "QUIT" {
            return Ok(());
        }
    }
}

async fn read_email(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

fn between_brackets(line: &str) -> String {
    let (_, rest) = line.split_once('<').unwrap();
    rest.split_once('>').unwrap().0.to_owned()
}
