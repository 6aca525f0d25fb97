//! How a running process is looked at from outside: whether it lives, whether it is ready, and what it counts.
//!
//! `/healthz` answers 200 while every service's own task goes on, `/readyz` while nothing is missing that the services need,
//! `/metrics` in the text format of Prometheus. None of it says anything of a person; none of it asks for a password: bind it to
//! an address that only the council's own monitoring reaches.

mod followed;
mod http;
mod metrics;
mod readiness;
mod survey;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bus::{BusClient, NatsBus};
use event_store::PgLedger;
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::followed::follow;
use crate::cli::Service;
use crate::outcome::Failure;

/// The setting that names where it is told, `<address>:<port>`.
pub const HTTP_SETTING: &str = "CASELEDGER_HTTP";

/// How often a service's task says that it goes on.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// After how long without that a service counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// How long Postgres or NATS may take to answer before it counts as missing.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Says since when a service's task has gone on: seconds since `started`.
struct Pulse {
    started: Instant,
    beat: AtomicU64,
}

impl Pulse {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            beat: AtomicU64::new(0),
        }
    }

    fn beat(&self) {
        self.beat.store(self.started.elapsed().as_secs(), Ordering::Relaxed);
    }

    fn is_stuck(&self) -> bool {
        let last = Duration::from_secs(self.beat.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(last) > STUCK_AFTER
    }
}

/// What a service runs on, once it has been put together.
#[derive(Clone)]
pub struct RunsOn {
    /// Its database.
    pub pool: PgPool,
    /// The log in it.
    pub ledger: Arc<PgLedger>,
    /// Its bus.
    pub bus: Arc<NatsBus>,
}

/// A service as it is looked at.
struct Observed {
    service: Service,
    pulse: Pulse,
    runs_on: Mutex<Option<RunsOn>>,
    /// The connection as a client of the bus, where it has one too.
    client: Mutex<Option<BusClient>>,
}

/// What this process tells of itself, if it was asked to.
#[derive(Clone, Default)]
pub struct Operation(Option<Arc<Told>>);

struct Told {
    services: Vec<Observed>,
    metrics: PrometheusHandle,
    /// The last look at what is missing: whoever asks often does not burden the database.
    looked: tokio::sync::Mutex<Option<(Instant, readiness::Readiness)>>,
}

impl Operation {
    /// Begins to tell of these services at `http`, until `stop`; with no address nothing is told. Returns the address too, with its
    /// port where that was left open (`:0`).
    ///
    /// # Errors
    /// [`Failure::Usage`] where the address can't be listened on.
    pub async fn begin(
        services: &[Service],
        http: Option<SocketAddr>,
        stop: &CancellationToken,
    ) -> Result<(Self, Option<SocketAddr>), Failure> {
        let Some(address) = http else {
            return Ok((Self::default(), None));
        };
        let unusable = |error| Failure::Usage(format!("can't listen on {address} ({HTTP_SETTING}): {error}"));
        let listener = TcpListener::bind(address).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let observed = |service: &Service| Observed {
            service: *service,
            pulse: Pulse::new(),
            runs_on: Mutex::default(),
            client: Mutex::default(),
        };
        let told = Arc::new(Told {
            services: services.iter().map(observed).collect(),
            metrics: metrics::collect()?,
            looked: tokio::sync::Mutex::default(),
        });
        tracing::info!(%address, "health, readiness and metrics are told");
        tokio::spawn(http::serve(listener, Arc::clone(&told), stop.clone()));
        Ok((Self(Some(told)), Some(address)))
    }

    /// A service is put together and runs on this.
    pub fn runs_on(&self, service: Service, runs_on: RunsOn) {
        if let Some(observed) = self.observed(service) {
            *observed.runs_on.lock().unwrap_or_else(PoisonError::into_inner) = Some(runs_on);
        }
    }

    /// A service speaks as this client too.
    pub fn speaks_as(&self, service: Service, client: BusClient) {
        if let Some(observed) = self.observed(service) {
            *observed.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
        }
    }

    /// Does a service's work, and says for as long as its task goes on.
    pub async fn alive<T>(&self, service: Service, work: impl Future<Output = T>) -> T {
        let Some(observed) = self.observed(service) else {
            return work.await;
        };
        let beating = async {
            loop {
                observed.pulse.beat();
                tokio::time::sleep(BEAT_EVERY).await;
            }
        };
        tokio::select! {
            done = work => done,
            () = beating => std::future::pending().await,
        }
    }

    fn observed(&self, service: Service) -> Option<&Observed> {
        let told = self.0.as_deref()?;
        told.services.iter().find(|observed| observed.service == service)
    }
}

impl Observed {
    fn parts(&self) -> Option<RunsOn> {
        self.runs_on.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn client(&self) -> Option<BusClient> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_goes_on_is_not_stuck() {
        let mut pulse = Pulse::new();
        pulse.beat();
        assert!(!pulse.is_stuck());
        // As if it had last gone on so long ago.
        pulse.started = Instant::now()
            .checked_sub(STUCK_AFTER + Duration::from_secs(2))
            .unwrap();
        assert!(pulse.is_stuck());
        pulse.beat();
        assert!(!pulse.is_stuck());
    }
}
