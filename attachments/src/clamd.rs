//! ClamAV's daemon, over its `INSTREAM` command (the manual page clamd(8)).
//!
//! `zINSTREAM\0`, then the file in chunks, each after its length as four bytes, most significant first, then a length of zero.
//! The answer is `stream: OK`, `stream: <name> FOUND` or a sentence that ends in `ERROR`, and a zero byte.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::scan::{ScanError, Scanner, Verdict};

/// How long a connection to clamd may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long sending a file and waiting for the verdict may take, unless another time is set. An archive of archives takes long.
pub const REPLY_WITHIN: Duration = Duration::from_secs(60);

/// How much is sent at once.
const CHUNK_BYTES: usize = 64 << 10;

/// The longest answer that is read.
const ANSWER_MAX_BYTES: u64 = 4096;

/// The longest name or answer that is passed on.
const SHOWN_MAX_CHARS: usize = 100;

/// A scanner that asks a clamd. Each scan is a connection of its own, as clamd ends it after the answer.
///
/// Its setting is `tcp://host:port` (clamd itself neither encrypts nor asks who calls: keep it on the same host or private
/// network) or `unix:///path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clamd {
    address: Address,
    reply_within: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Tcp(String),
    Unix(PathBuf),
}

/// The setting names no clamd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("clamd's address is tcp://host:port, such as tcp://127.0.0.1:3310, or unix:///path: give one of them")]
pub struct ClamdAddressError;

impl FromStr for Clamd {
    type Err = ClamdAddressError;

    fn from_str(setting: &str) -> Result<Self, Self::Err> {
        let address = if let Some(path) = setting.strip_prefix("unix://").filter(|path| path.starts_with('/')) {
            Address::Unix(path.into())
        } else {
            let address = setting.strip_prefix("tcp://").ok_or(ClamdAddressError)?;
            let (host, port) = address.rsplit_once(':').ok_or(ClamdAddressError)?;
            if host.is_empty() || port.parse::<u16>().is_err() {
                return Err(ClamdAddressError);
            }
            Address::Tcp(address.to_owned())
        };
        Ok(Self {
            address,
            reply_within: REPLY_WITHIN,
        })
    }
}

impl Clamd {
    /// The same clamd, with this long for sending a file and waiting for the verdict.
    #[must_use]
    pub fn reply_within(self, reply_within: Duration) -> Self {
        Self { reply_within, ..self }
    }
}

#[async_trait]
impl Scanner for Clamd {
    async fn scan(&self, bytes: &[u8]) -> Result<Verdict, ScanError> {
        match &self.address {
            Address::Tcp(address) => {
                let stream = connected(TcpStream::connect(address)).await?;
                self.ask(stream, bytes).await
            }
            Address::Unix(path) => {
                let stream = connected(UnixStream::connect(path)).await?;
                self.ask(stream, bytes).await
            }
        }
    }
}

async fn connected<S>(connecting: impl Future<Output = io::Result<S>>) -> Result<S, ScanError> {
    timeout(CONNECT_WITHIN, connecting)
        .await
        .map_err(|_| ScanError::TooSlow)?
        .map_err(ScanError::Unreachable)
}

impl Clamd {
    async fn ask(&self, stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Result<Verdict, ScanError> {
        let answer = timeout(self.reply_within, exchange(stream, bytes))
            .await
            .map_err(|_| ScanError::TooSlow)?
            .map_err(ScanError::Unreachable)?;
        verdict(&answer)
    }
}

/// Sends the file and reads the answer, a zero byte or the end of the connection after it.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let sent = send(&mut stream, bytes).await;
    let mut answer = Vec::new();
    // Who finds a file too large says so and hangs up, so that sending fails and there is an answer all the same.
    let read = stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer).await;
    if answer.is_empty() {
        sent?;
        read?;
    }
    Ok(answer)
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(b"zINSTREAM\0").await?;
    for chunk in bytes.chunks(CHUNK_BYTES) {
        let length = u32::try_from(chunk.len()).map_err(io::Error::other)?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(chunk).await?;
    }
    stream.write_all(&[0; 4]).await?;
    stream.flush().await
}

/// Anything but the two verdicts, word for word, is none: a file is not kept on a guess.
fn verdict(answer: &[u8]) -> Result<Verdict, ScanError> {
    let text = String::from_utf8_lossy(answer);
    let said = text.trim_end_matches(['\0', '\n']);
    let one_line = !said.contains(['\0', '\n']);
    let result = said.strip_prefix("stream: ").filter(|_| one_line).unwrap_or_default();
    if result == "OK" {
        return Ok(Verdict::Clean);
    }
    if let Some(name) = result.strip_suffix(" FOUND") {
        let named = |character: &char| character.is_ascii_alphanumeric() || "-_./:".contains(*character);
        let name = name.chars().filter(named).take(SHOWN_MAX_CHARS).collect();
        return Ok(Verdict::Infected { name });
    }
    let shown = |character: &char| *character == ' ' || character.is_ascii_graphic();
    Err(ScanError::NoVerdict {
        answer: said.chars().filter(shown).take(SHOWN_MAX_CHARS).collect(),
    })
}

#[cfg(test)]
mod tests;
