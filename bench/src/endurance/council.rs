//! The council that is put under load: every service a process of its own, and what each tells of itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sqlx::PgPool;
use system_tests::council::{PATIENCE, SERVICES};
use system_tests::{Council, Process, TestPostgres};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a page may take.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// How long everything may take to catch up.
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(900);

/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What follows the log, as the metrics name it.
pub const FOLLOWERS: [(&str, &str); 9] = [
    ("relay", "caseledger_relay_lag_events"),
    (
        "history",
        "caseledger_subscription_lag_events{subscription=\"history\"}",
    ),
    (
        "reporting",
        "caseledger_subscription_lag_events{subscription=\"reporting\"}",
    ),
    (
        "notifier",
        "caseledger_subscription_lag_events{subscription=\"notifier\"}",
    ),
    (
        "timekeeper",
        "caseledger_subscription_lag_events{subscription=\"timekeeper\"}",
    ),
    ("feeds", "caseledger_subscription_lag_events{subscription=\"feeds\"}"),
    ("durable commands", "caseledger_commands_backlog"),
    ("notices to send", "caseledger_deliveries_waiting{to=\"send\"}"),
    ("notices to record", "caseledger_deliveries_waiting{to=\"record\"}"),
];

/// How many of those are events and read models: the others are the notifier's work.
pub const UNTIL_VIEWS: usize = 3;

/// A council with all of its services running.
pub struct Running {
    /// Its database, its bus and its files.
    pub council: Council,
    /// The database, as its owner.
    pub owner: PgPool,
    processes: Vec<Process>,
    pages: Vec<String>,
}

impl Running {
    /// Starts it.
    pub async fn start(postgres: &std::sync::Arc<TestPostgres>) -> Result<Self, String> {
        let council = Council::on(postgres.database().await).await;
        let (mut processes, mut pages) = (Vec::new(), Vec::new());
        for service in SERVICES {
            let process = Process::start(council.service(service).args(["--http", "127.0.0.1:0"]));
            let line = process.line("health, readiness and metrics are told", PATIENCE).await;
            let address = line.rsplit("address=").next().ok_or("no address is told")?;
            pages.push(address.trim().to_owned());
            processes.push(process);
        }
        council.answering().await;
        let owner = council.owner().await;
        Ok(Self {
            council,
            owner,
            processes,
            pages,
        })
    }

    /// Sends a signal to the process of a service.
    pub fn signal(&mut self, service: &str, signal: &str) {
        let place = SERVICES.iter().position(|name| *name == service);
        if let Some(process) = place.and_then(|place| self.processes.get_mut(place)) {
            process.signal(signal);
        }
    }

    /// How far behind everybody is, by name; what is not known is left out.
    pub async fn lags(&self) -> BTreeMap<String, f64> {
        lags(&self.pages).await
    }

    /// Where the services tell of themselves.
    pub fn pages(&self) -> Vec<String> {
        self.pages.clone()
    }

    /// Waits until the first so many followers have nothing left to do.
    pub async fn caught_up(&self, followers: usize) -> Result<(), String> {
        let deadline = Instant::now() + CATCHES_UP_WITHIN;
        while Instant::now() < deadline {
            let lags = self.lags().await;
            let done = |name: &str| lags.get(name).is_some_and(|lag| *lag == 0.0);
            if FOLLOWERS[..followers].iter().all(|(name, _)| done(name)) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(format!(
            "what follows the log did not catch up: {:?}",
            self.lags().await
        ))
    }

    /// A number from the database.
    pub async fn number(&self, statement: &'static str) -> Result<i64, String> {
        let number = sqlx::query_scalar(statement).fetch_one(&self.owner).await;
        number.map_err(|error| error.to_string())
    }

    /// Lets go of its connections, and ends its processes.
    pub async fn stop(mut self) {
        self.owner.close().await;
        for process in &mut self.processes {
            process.stop(PATIENCE).await;
        }
    }
}

/// How far behind everybody is, as these pages tell.
pub async fn lags(pages: &[String]) -> BTreeMap<String, f64> {
    // The projections tell no lag, and may be held: they are not asked.
    let mut told = String::new();
    for (service, page) in SERVICES.iter().zip(pages) {
        if *service != "projections" {
            told.push_str(&metrics(page).await.unwrap_or_default());
        }
    }
    let lag = |metric: &str| -> Option<f64> {
        let mut lines = told.lines();
        let value = lines.find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '))?;
        value.parse().ok().filter(|lag: &f64| lag.is_finite())
    };
    let known = FOLLOWERS.iter();
    known
        .filter_map(|(name, metric)| Some(((*name).to_owned(), lag(metric)?)))
        .collect()
}

async fn metrics(address: &str) -> Option<String> {
    let ask = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let request = "GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    };
    tokio::time::timeout(TOLD_WITHIN, ask).await.ok().flatten()
}
