//! A private PostgreSQL.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::account::Account;
use super::binaries::{self, PostgresPrograms};
use super::cluster;
use super::data_dir::{DataDir, make_directory};
use super::error::{Doing, ServerError};
use super::leftover;
use super::log::Log;
use super::watched::{Launch, Watched};

/// The role that `initdb` makes.
pub(super) const SUPERUSER: &str = "postgres";
/// Its password's name among the data directory's secrets.
pub(super) const SUPERUSER_SECRET: &str = "postgres-superuser";

/// How long a start may take; it includes recovery after a kill.
const START: Duration = Duration::from_secs(60);
/// How long a fast shutdown may take, with its checkpoint.
const STOP: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What the log says where another attempt may go better: the port went to somebody else after we asked for it, or
/// processes of a killed server are still ending.
const PASSING: [&str; 3] = [
    "could not bind",
    "could not create any TCP/IP sockets",
    "shared memory block",
];

/// What may be lost when the machine, not just the server, goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Full,
    /// Everything: nothing is flushed to the disk. Only for databases that nobody needs the next day.
    ForTests,
}

/// A running PostgreSQL of our own, on 127.0.0.1. Dropping it stops it.
#[derive(Debug)]
pub struct PostgresServer {
    process: Option<Watched>,
    programs: PostgresPrograms,
    account: Option<Account>,
    durability: Durability,
    port: u16,
    password: String,
    log: Log,
    data: Arc<DataDir>,
}

impl PostgresServer {
    /// Starts the PostgreSQL of `data`; makes its database cluster first where there is none, and stops what an
    /// earlier run left behind.
    ///
    /// Returns when it takes connections.
    ///
    /// # Errors
    /// See [`ServerError`]: what is missing or in the way, and what to do about it.
    pub fn start(data: Arc<DataDir>, durability: Durability) -> Result<PostgresServer, ServerError> {
        let account = Account::if_root()?;
        let home = data.path().join("postgres");
        make_directory(&home, 0o700)?;
        if let Some(account) = &account {
            hand_over(&data, &home, account)?;
        }
        let cluster = home.join("data");
        leftover::stop(&cluster.join("postmaster.pid"), data.path(), "INT")?;
        let major = cluster::version(&cluster)?;
        let programs = binaries::postgres(major.as_deref().and_then(|major| major.parse().ok()))?;
        let password = data.secret(SUPERUSER_SECRET)?;
        match major {
            Some(found) if found != programs.version.to_string() => {
                return Err(ServerError::OtherVersion {
                    path: cluster,
                    found,
                    installed: programs.version,
                });
            }
            Some(_) => {}
            None => cluster::initialise(&programs, account.as_ref(), &home, &password, durability)?,
        }
        let log = Log::from_now("postgres", &data.log_dir());
        let mut server = PostgresServer {
            process: None,
            programs,
            account,
            durability,
            port: 0,
            password,
            log,
            data,
        };
        server.start_on(free_port)?;
        Ok(server)
    }

    /// The port on 127.0.0.1; the same for the life of this value.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's password.
    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// A URL for the superuser and `database`; it holds the password. A new cluster has only the database `postgres`.
    pub fn superuser_url(&self, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
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

    /// Stops the server ("fast": it ends connections, rolls back what is open, and writes a checkpoint).
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

    /// Sends the server a signal by name (`STOP`, `CONT`, `QUIT`, …).
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
        let port = self.port;
        self.start_on(|| Ok(port))
    }

    /// Starts the process, again and again while what is in the way may pass.
    fn start_on(&mut self, port: impl Fn() -> Result<u16, ServerError>) -> Result<(), ServerError> {
        let deadline = Instant::now() + START;
        loop {
            self.port = port()?;
            match self.try_start() {
                Err(Trouble::Passes(_)) if Instant::now() < deadline => std::thread::sleep(BETWEEN_LOOKS),
                Err(Trouble::Passes(error) | Trouble::Stays(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Starts the process once and waits until it takes connections.
    fn try_start(&mut self) -> Result<(), Trouble> {
        self.log = Log::from_now("postgres", &self.data.log_dir());
        let pid_file = self.cluster().join("postmaster.pid");
        let before = PidFile::read(&pid_file);
        let mut process = Watched::start(Launch {
            program: self.programs.postgres.clone(),
            arguments: self.arguments(),
            environment: vec![("LC_ALL", "C".into())],
            account: self.account.as_ref(),
            log: &self.log,
            // Nobody needs the data of a test any more: no checkpoint.
            stop_signal: if self.data.is_temporary() { "QUIT" } else { "INT" },
            patience: STOP,
            delete: self.data.is_temporary().then(|| self.data.path().to_owned()),
        })?;
        self.wait_until_ready(&mut process, &pid_file, before.as_ref())?;
        self.process = Some(process);
        Ok(())
    }

    fn wait_until_ready(
        &self,
        process: &mut Watched,
        pid_file: &Path,
        before: Option<&PidFile>,
    ) -> Result<(), Trouble> {
        let deadline = Instant::now() + START;
        let is_ready = |now: PidFile| now.ready && before.is_none_or(|before| before.who != now.who);
        while !PidFile::read(pid_file).is_some_and(is_ready) {
            if process.ended()?.is_some() {
                return Err(self.ended_early());
            }
            if Instant::now() > deadline {
                let late = self
                    .log
                    .refused(format!("was not ready after {} seconds", START.as_secs()));
                return Err(Trouble::Stays(late));
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }

    fn ended_early(&self) -> Trouble {
        let refused = self.log.refused("ended before it was ready");
        let text = self.log.text();
        if PASSING.iter().any(|words| text.contains(words)) {
            Trouble::Passes(refused)
        } else {
            Trouble::Stays(refused)
        }
    }

    fn cluster(&self) -> PathBuf {
        self.data.path().join("postgres/data")
    }

    fn arguments(&self) -> Vec<OsString> {
        let port = self.port.to_string();
        let mut settings = vec![
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            // A socket's path may have about 100 characters, and a data directory's any number.
            ("unix_socket_directories", ""),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_line_prefix", "%m [%p] %q%u@%d "),
            // Details quote the values of a row, and statements may hold passwords.
            ("log_error_verbosity", "terse"),
            ("log_min_error_statement", "panic"),
        ];
        match self.durability {
            Durability::Full => settings.extend([("fsync", "on"), ("synchronous_commit", "on")]),
            Durability::ForTests => settings.extend([
                ("fsync", "off"),
                ("full_page_writes", "off"),
                // Tests run side by side, each with pools of its own.
                ("max_connections", "300"),
            ]),
        }
        let mut arguments = vec![OsString::from("-D"), self.cluster().into_os_string()];
        for (name, value) in settings {
            arguments.extend([OsString::from("-c"), OsString::from(format!("{name}={value}"))]);
        }
        arguments
    }
}

/// Gives the server's directory to the account that it runs as.
fn hand_over(data: &DataDir, home: &Path, account: &Account) -> Result<(), ServerError> {
    account.own(home)?;
    if data.is_temporary() {
        // The watcher deletes the whole, and runs as the server does.
        for directory in [data.path(), &data.log_dir(), &data.secrets_dir()] {
            account.own(directory)?;
        }
    }
    account.check_reaches(home)
}

/// Why a start failed, and whether another attempt may go better.
enum Trouble {
    Passes(ServerError),
    Stays(ServerError),
}

impl From<ServerError> for Trouble {
    fn from(error: ServerError) -> Trouble {
        Trouble::Stays(error)
    }
}

/// A port on 127.0.0.1 that nothing listens on now.
fn free_port() -> Result<u16, ServerError> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    port.map(|address| address.port())
        .doing(|| "find a free port on 127.0.0.1".into())
}

/// What `postmaster.pid` says. A killed server leaves it behind.
struct PidFile {
    /// The process id, the directory and the second of the start.
    who: [String; 3],
    /// Whether the server takes connections, be it as a standby, which only reads.
    ready: bool,
}

impl PidFile {
    fn read(path: &Path) -> Option<PidFile> {
        PidFile::parse(&std::fs::read_to_string(path).ok()?)
    }

    /// Lines 1 to 3 say who, line 8 in what state; the file grows line by line.
    fn parse(text: &str) -> Option<PidFile> {
        let mut lines = text.lines().map(|line| line.trim().to_owned());
        let who = [lines.next()?, lines.next()?, lines.next()?];
        let ready = lines.nth(4).is_some_and(|state| state == "ready" || state == "standby");
        Some(PidFile { who, ready })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_its_file_says_so() {
        let text = |state: &str| format!("42\n/data\n1700000000\n5432\n\n127.0.0.1\n  1 2\n{state}\n");
        let ready = |text: &str| PidFile::parse(text).map(|file| file.ready);
        assert_eq!(ready("42\n/data\n"), None);
        assert_eq!(ready("42\n/data\n1700000000\n5432\n"), Some(false));
        assert_eq!(ready(&text("starting")), Some(false));
        assert_eq!(ready(&text("ready   ")), Some(true));
        assert_eq!(ready(&text("standby ")), Some(true));
    }
}
