//! A server process that ends when we do.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::account::Account;
use super::error::{Doing, ServerError};
use super::log::Log;

const WATCHER: &str = include_str!("watcher.sh");

/// Variables that a server may see of ours; the rest may hold secrets that are none of its business.
const PASSED_ON: [&str; 4] = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"];

/// How to start a server.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(&'static str, String)>,
    /// Whom it runs as, if not as we do.
    pub(super) account: Option<&'a Account>,
    pub(super) log: &'a Log,
    /// The signal that stops it in good order.
    pub(super) stop_signal: &'static str,
    /// How long that may take before it is killed; whole seconds.
    pub(super) patience: Duration,
    /// A directory to delete when we are gone, or have dropped the server.
    pub(super) delete: Option<PathBuf>,
}

/// A running server, behind its watcher. Dropping it stops the server and waits for that.
#[derive(Debug)]
pub(super) struct Watched {
    watcher: Child,
    /// The pipe that the watcher listens to; closing it gives the server up.
    control: Option<ChildStdin>,
}

impl Watched {
    pub(super) fn start(launch: Launch<'_>) -> Result<Watched, ServerError> {
        let log = launch.log.open()?;
        let also = log.try_clone().doing(|| "open a log twice".into())?;
        let mut command = Command::new("sh");
        command.arg("-c").arg(WATCHER).arg("caseledger-watcher");
        command
            .arg(launch.stop_signal)
            .arg(launch.patience.as_secs().to_string());
        command.arg(launch.delete.unwrap_or_default());
        command.arg(&launch.program).args(launch.arguments);
        command.env_clear().envs(
            PASSED_ON
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        );
        command.envs(launch.environment);
        command.stdin(Stdio::piped()).stdout(log).stderr(also).current_dir("/");
        // Ctrl-C goes to every process of the terminal's group; it is for us to decide who stops first.
        command.process_group(0);
        if let Some(account) = launch.account {
            account.run(&mut command);
        }
        let mut watcher = command
            .spawn()
            .doing(|| format!("start {}", launch.program.display()))?;
        let control = watcher.stdin.take();
        Ok(Watched { watcher, control })
    }

    /// Passes a signal (`HUP`, `KILL`, `STOP`, …) on to the server.
    pub(super) fn signal(&mut self, name: &str) -> Result<(), ServerError> {
        match &mut self.control {
            Some(control) => writeln!(control, "{name}").doing(|| "reach the server's watcher".into()),
            None => Ok(()),
        }
    }

    /// How the server ended, if it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, ServerError> {
        self.watcher.try_wait().doing(|| "look at a server".into())
    }

    /// Stops the server, in good order or else by force, and waits until it has ended.
    pub(super) fn stop(&mut self) -> Result<ExitStatus, ServerError> {
        // The pipe is broken where the server has ended by itself.
        let _ = self.signal("stop");
        self.wait()
    }

    /// Kills the server and waits until it has ended.
    pub(super) fn kill(&mut self) -> Result<ExitStatus, ServerError> {
        let _ = self.signal("KILL");
        self.wait()
    }

    fn wait(&mut self) -> Result<ExitStatus, ServerError> {
        self.watcher.wait().doing(|| "wait for a server".into())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.control = None;
        let _ = self.wait();
    }
}
