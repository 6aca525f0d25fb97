//! A TCP proxy in front of a server, that can cut, hold up and lose what passes, and lead to another server.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::eventually;

const BUFFER: usize = 64 * 1024;

/// How long connections may take to end.
const ENDED_WITHIN: Duration = Duration::from_secs(10);

/// What the proxy does to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Weather {
    /// Connections are ended, and new ones ended at once.
    cut: bool,
    /// What the client sends is lost.
    lose_requests: bool,
    /// What the server answers is lost.
    lose_answers: bool,
    /// How long each piece is held up, in each direction.
    delay: Duration,
}

/// A proxy on 127.0.0.1. It ends, with its connections, when the value goes.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    /// The port of the server that it was started in front of.
    first: u16,
    /// The port of the server that new connections lead to.
    upstream: Arc<AtomicU16>,
    weather: watch::Sender<Weather>,
    open: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl Proxy {
    /// Starts a proxy in front of the server on port `upstream` of 127.0.0.1.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start(upstream: u16) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("there is a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        let (weather, seen) = watch::channel(Weather::default());
        let open = Arc::new(AtomicUsize::new(0));
        let (first, upstream) = (upstream, Arc::new(AtomicU16::new(upstream)));
        let accepting = accept(listener, Arc::clone(&upstream), seen, Arc::clone(&open));
        let accepting = tokio::spawn(accepting).abort_handle();
        Proxy {
            port,
            first,
            upstream,
            weather,
            open,
            accepting,
        }
    }

    /// The proxy's own port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same URL, but through the proxy.
    ///
    /// # Panics
    /// If the URL is not one of the server's.
    pub fn url(&self, direct: &str) -> String {
        let server = format!("127.0.0.1:{}", self.first);
        assert!(direct.contains(&server), "{server} is not in the URL");
        direct.replacen(&server, &format!("127.0.0.1:{}", self.port), 1)
    }

    /// Lets connections that are made from now on lead to the server on this port: an address that has moved.
    pub fn lead_to(&self, upstream: u16) {
        self.upstream.store(upstream, Ordering::Relaxed);
    }

    /// Ends all connections, and each new one at once, until [`restore`](Self::restore).
    pub fn cut(&self) {
        self.weather.send_modify(|weather| weather.cut = true);
    }

    /// Ends all connections, and lets everything pass again: each client has to connect anew.
    ///
    /// # Panics
    /// If a connection does not end.
    pub async fn break_off(&self) {
        self.cut();
        eventually("every connection is ended", ENDED_WITHIN, || async {
            self.open.load(Ordering::Relaxed) == 0
        })
        .await;
        self.restore();
    }

    /// Loses what clients send, while connections stay open.
    pub fn lose_requests(&self) {
        self.weather.send_modify(|weather| weather.lose_requests = true);
    }

    /// Loses what the server answers, while connections stay open. What was lost stays lost: cut them afterwards.
    pub fn lose_answers(&self) {
        self.weather.send_modify(|weather| weather.lose_answers = true);
    }

    /// Holds up each piece, in each direction, for this long.
    pub fn delay(&self, delay: Duration) {
        self.weather.send_modify(|weather| weather.delay = delay);
    }

    /// Lets everything pass again.
    pub fn restore(&self) {
        self.weather.send_replace(Weather::default());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    upstream: Arc<AtomicU16>,
    weather: watch::Receiver<Weather>,
    open: Arc<AtomicUsize>,
) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    let (weather, open) = (weather.clone(), Arc::clone(&open));
                    let upstream = upstream.load(Ordering::Relaxed);
                    connections.spawn(async move {
                        open.fetch_add(1, Ordering::Relaxed);
                        let ended = connection(client, upstream, weather).await;
                        open.fetch_sub(1, Ordering::Relaxed);
                        ended
                    });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection until either side ends it, or it is cut.
async fn connection(client: TcpStream, upstream: u16, mut weather: watch::Receiver<Weather>) -> io::Result<()> {
    if weather.borrow().cut {
        return Ok(());
    }
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let requests = carry(from_client, to_server, weather.clone(), |weather| weather.lose_requests);
    let answers = carry(from_server, to_client, weather.clone(), |weather| weather.lose_answers);
    tokio::select! {
        ended = requests => ended,
        ended = answers => ended,
        _ = weather.wait_for(|weather| weather.cut) => Ok(()),
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    weather: watch::Receiver<Weather>,
    is_lost: fn(&Weather) -> bool,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let now = *weather.borrow();
        if !now.delay.is_zero() {
            tokio::time::sleep(now.delay).await;
        }
        if !is_lost(&now) {
            to.write_all(&buffer[..length]).await?;
        }
    }
}
