//! A private nats-server with JetStream, encrypted at rest.

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::binaries;
use super::data_dir::{DataDir, make_directory, write_private};
use super::error::{Doing, ServerError};
use super::leftover;
use super::log::Log;
use super::watched::{Launch, Watched};

/// The key of the JetStream store: its name among the data directory's secrets, and the variable that hands it over.
const STORE_KEY_SECRET: &str = "nats-store-key";
const STORE_KEY_VARIABLE: &str = "CASELEDGER_NATS_STORE_KEY";

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);
const RELOAD: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What nats-server prints after a reload, and after one that it refused.
const RELOADED: &str = "Reloaded server configuration";
const NOT_RELOADED: &str = "Failed to reload server configuration";

/// What the server is told beside where its data is.
#[derive(Debug, Clone)]
pub struct NatsConfig {
    /// The text of the accounts file, with `accounts { … }` and what else belongs to it.
    pub accounts_conf: String,
    /// The longest message in bytes that the server takes.
    pub max_payload: u32,
}

impl NatsConfig {
    /// The settings for these accounts, and room for what a command of 256 KiB grows to on the way.
    pub fn new(accounts_conf: impl Into<String>) -> NatsConfig {
        NatsConfig {
            accounts_conf: accounts_conf.into(),
            max_payload: 1024 * 1024,
        }
    }
}

/// A running nats-server of our own, on 127.0.0.1. Dropping it stops it.
#[derive(Debug)]
pub struct NatsServer {
    process: Option<Watched>,
    program: PathBuf,
    max_payload: u32,
    port: Option<u16>,
    store_key: String,
    log: Log,
    data: Arc<DataDir>,
}

impl NatsServer {
    /// Starts the nats-server of `data`, and stops what an earlier run left behind.
    ///
    /// Returns when it takes connections.
    ///
    /// # Errors
    /// See [`ServerError`]: what is missing or in the way, and what to do about it.
    pub fn start(data: Arc<DataDir>, config: &NatsConfig) -> Result<NatsServer, ServerError> {
        let home = data.path().join("nats");
        make_directory(&home, 0o700)?;
        leftover::stop(&home.join("pid"), data.path(), "TERM")?;
        let program = binaries::nats()?;
        let store_key = data.secret(STORE_KEY_SECRET)?;
        write_private(&home.join("accounts.conf"), &config.accounts_conf)?;
        let log = Log::from_now("nats-server", &data.log_dir());
        let max_payload = config.max_payload;
        let mut server = NatsServer {
            process: None,
            program,
            max_payload,
            port: None,
            store_key,
            log,
            data,
        };
        server.start_again()?;
        Ok(server)
    }

    /// Where it listens: `nats://127.0.0.1:<port>`, without a user; the same for the life of this value.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or_default()
    }

    /// The file of accounts that the server includes.
    pub fn accounts_file(&self) -> PathBuf {
        self.home().join("accounts.conf")
    }

    /// The directory of the JetStream store. A test that loses it does so while the server is stopped.
    pub fn store_dir(&self) -> PathBuf {
        self.home().join("store")
    }

    /// Puts other accounts in force, without cutting off those who stay. Where the server refuses them, the ones before
    /// stay in force.
    ///
    /// # Errors
    /// [`ServerError::Refused`] with the server's reason.
    pub fn reload(&mut self, accounts_conf: &str) -> Result<(), ServerError> {
        let file = self.accounts_file();
        let before = std::fs::read_to_string(&file).doing(|| format!("read {}", file.display()))?;
        write_private(&file, accounts_conf)?;
        // Twice: an account that a reload brings gets the services that it imports only at the next reload (seen with
        // nats-server 2.15). Until then whoever calls from it is told that nobody answers.
        let reloaded = self.ask_to_reload().and_then(|()| self.ask_to_reload());
        if reloaded.is_err() {
            write_private(&file, &before)?;
        }
        reloaded
    }

    /// What the server has written to its log since this value was made.
    pub fn output(&self) -> String {
        self.log.text()
    }

    /// Whether the server runs. It may have ended by itself.
    ///
    /// # Errors
    /// [`ServerError::System`] where the system does not say.
    pub fn is_running(&mut self) -> Result<bool, ServerError> {
        match &mut self.process {
            Some(process) => Ok(process.ended()?.is_none()),
            None => Ok(false),
        }
    }

    /// Stops the server in good order.
    ///
    /// # Errors
    /// [`ServerError::System`] where the system does not let us.
    pub fn stop(&mut self) -> Result<(), ServerError> {
        self.process
            .take()
            .map_or(Ok(()), |mut process| process.stop().map(drop))
    }

    /// Kills the server, as a crash of it would.
    ///
    /// # Errors
    /// [`ServerError::System`] where the system does not let us.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.process
            .take()
            .map_or(Ok(()), |mut process| process.kill().map(drop))
    }

    /// Sends the server a signal by name (`STOP`, `CONT`, …).
    ///
    /// # Errors
    /// [`ServerError::System`] where the server has ended.
    pub fn signal(&mut self, name: &str) -> Result<(), ServerError> {
        self.process.as_mut().map_or(Ok(()), |process| process.signal(name))
    }

    /// Starts the server again after [`stop`](Self::stop), [`kill`](Self::kill) or its own end, on the same port.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        self.stop()?;
        let ports = self.home().join("ports");
        if ports.exists() {
            std::fs::remove_dir_all(&ports).doing(|| format!("delete {}", ports.display()))?;
        }
        make_directory(&ports, 0o700)?;
        let config_file = self.home().join("nats.conf");
        write_private(&config_file, &self.config())?;
        self.log = Log::from_now("nats-server", &self.data.log_dir());
        let mut process = Watched::start(Launch {
            program: self.program.clone(),
            arguments: vec!["--config".into(), config_file.into()],
            environment: vec![(STORE_KEY_VARIABLE, self.store_key.clone())],
            account: None,
            log: &self.log,
            stop_signal: "TERM",
            patience: STOP,
            delete: self.data.is_temporary().then(|| self.data.path().to_owned()),
        })?;
        self.port = Some(self.wait_for_port(&mut process, &ports)?);
        self.process = Some(process);
        Ok(())
    }

    /// Waits for the file in which the server says where it listens.
    fn wait_for_port(&self, process: &mut Watched, ports: &Path) -> Result<u16, ServerError> {
        let deadline = Instant::now() + START;
        loop {
            // Where the port is given, the file comes before the server listens.
            if let Some(port) = read_port(ports).filter(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok())
            {
                return Ok(port);
            }
            if process.ended()?.is_some() {
                return Err(self.log.refused("ended before it was ready"));
            }
            if Instant::now() > deadline {
                return Err(self
                    .log
                    .refused(format!("was not ready after {} seconds", START.as_secs())));
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    fn ask_to_reload(&mut self) -> Result<(), ServerError> {
        let log = Log::from_now("nats-server", &self.data.log_dir());
        self.signal("HUP")?;
        let deadline = Instant::now() + RELOAD;
        loop {
            let text = log.text();
            if text.contains(RELOADED) {
                return Ok(());
            }
            if text.contains(NOT_RELOADED) {
                return Err(log.refused("refused the new accounts; those before stay in force"));
            }
            if Instant::now() > deadline {
                let seconds = RELOAD.as_secs();
                return Err(log.refused(format!("did not take the new accounts within {seconds} seconds")));
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    fn home(&self) -> PathBuf {
        self.data.path().join("nats")
    }

    fn config(&self) -> String {
        let home = self.home();
        // -1: any free port. The server writes the one it got into the directory of ports.
        let port = self.port.map_or(-1, i32::from);
        format!(
            "# Written at each start; accounts.conf is what a reload reads anew.\n\
             listen: \"127.0.0.1:{port}\"\n\
             server_name: caseledger\n\
             pid_file: {pid}\n\
             ports_file_dir: {ports}\n\
             max_payload: {max_payload}\n\
             jetstream {{\n  store_dir: {store}\n  cipher: aes\n  key: ${STORE_KEY_VARIABLE}\n}}\n\
             include accounts.conf\n",
            pid = quoted(&home.join("pid")),
            ports = quoted(&home.join("ports")),
            store = quoted(&home.join("store")),
            max_payload = self.max_payload,
        )
    }
}

/// A path as a string of the server's configuration language.
fn quoted(path: &Path) -> String {
    format!(
        "\"{}\"",
        path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"")
    )
}

/// The port in the only file of the directory of ports: `{"nats": ["nats://127.0.0.1:41234"], …}`.
fn read_port(directory: &Path) -> Option<u16> {
    let file = std::fs::read_dir(directory)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| is_ports_file(path))?;
    // Half written, it is not JSON yet.
    let ports: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
    ports.get("nats")?.get(0)?.as_str()?.rsplit(':').next()?.parse().ok()
}

fn is_ports_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ports")
}
