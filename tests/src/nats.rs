//! A nats-server for one test, or three.

mod cluster;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caseledger::servers::{DataDir, NatsConfig, NatsServer, ServerError};

pub use cluster::NatsCluster;

/// Starts a nats-server of the test's own, with these accounts.
///
/// # Panics
/// If it does not start.
pub async fn nats(config: NatsConfig) -> TestNats {
    start(config, None).await
}

/// Starts a nats-server of the test's own, with its data in this folder.
///
/// # Panics
/// If it does not start.
pub async fn nats_in(folder: &Path, config: NatsConfig) -> TestNats {
    start(config, Some(folder.join("nats-server"))).await
}

async fn start(config: NatsConfig, folder: Option<PathBuf>) -> TestNats {
    let data = move || folder.as_deref().map_or_else(DataDir::temporary, DataDir::open);
    let start = move || NatsServer::start(Arc::new(data()?), &config);
    let server = tokio::task::spawn_blocking(start).await.expect("the start panicked");
    let server = server.unwrap_or_else(|error| panic!("no nats-server for the test: {error}"));
    TestNats {
        server: Arc::new(Mutex::new(server)),
    }
}

/// A running nats-server. It goes with the last copy of the value.
#[derive(Clone, Debug)]
pub struct TestNats {
    server: Arc<Mutex<NatsServer>>,
}

impl TestNats {
    /// Where it listens, without a user; the same after a restart.
    pub fn url(&self) -> String {
        self.lock().url()
    }

    /// The port on 127.0.0.1, the same after a restart.
    pub fn port(&self) -> u16 {
        self.lock().port()
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        self.lock().output()
    }

    /// The directory of the JetStream store.
    pub fn store_dir(&self) -> PathBuf {
        self.lock().store_dir()
    }

    /// Puts other accounts in force.
    ///
    /// # Panics
    /// If the server refuses them.
    pub async fn reload(&self, accounts_conf: String) {
        self.on_server(move |server| server.reload(&accounts_conf)).await;
    }

    /// Stops the server in good order.
    ///
    /// # Panics
    /// If it does not stop.
    pub async fn stop(&self) {
        self.on_server(NatsServer::stop).await;
    }

    /// Kills the server.
    ///
    /// # Panics
    /// If it cannot be killed.
    pub async fn kill(&self) {
        self.on_server(NatsServer::kill).await;
    }

    /// Starts the server again after it was stopped or killed, on the same port.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_again(&self) {
        self.on_server(NatsServer::start_again).await;
    }

    /// Stops the server, deletes the JetStream store, and starts again: a bus that has lost everything.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn wipe(&self) {
        self.stop().await;
        std::fs::remove_dir_all(self.store_dir()).expect("the store can be deleted");
        self.start_again().await;
    }

    async fn on_server(&self, action: impl FnOnce(&mut NatsServer) -> Result<(), ServerError> + Send + 'static) {
        let server = Arc::clone(&self.server);
        let act = move || action(&mut server.lock().unwrap_or_else(PoisonError::into_inner));
        let done = tokio::task::spawn_blocking(act).await.expect("the action panicked");
        done.unwrap_or_else(|error| panic!("nats-server: {error}"));
    }

    fn lock(&self) -> MutexGuard<'_, NatsServer> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
