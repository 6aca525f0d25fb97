//! A server that an earlier run left behind: its watcher was killed together with its starter.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::error::{Doing, ServerError};

/// How long a leftover may take to stop in good order.
const PATIENCE: Duration = Duration::from_secs(15);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Stops the process whose id is the first line of `pid_file`, if it is a server of this `directory`.
///
/// A process id may have gone to somebody else since: it is ours only if its command line names the directory.
pub(super) fn stop(pid_file: &Path, directory: &Path, signal: &str) -> Result<(), ServerError> {
    let text = std::fs::read_to_string(pid_file).unwrap_or_default();
    let Some(pid) = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok()) else {
        return Ok(());
    };
    let deadline = Instant::now() + PATIENCE;
    let mut asked = false;
    while is_server_of(pid, directory) {
        if Instant::now() > deadline {
            send("KILL", pid)?;
        } else if !asked {
            send(signal, pid)?;
            asked = true;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    Ok(())
}

/// Whether the process runs and one of its arguments names a path in `directory`.
fn is_server_of(pid: u32, directory: &Path) -> bool {
    // A process that has ended but was not waited for has no arguments any more.
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments
        .split(|byte| *byte == 0)
        .any(|argument| std::str::from_utf8(argument).is_ok_and(|argument| Path::new(argument).starts_with(directory)))
}

fn send(signal: &str, pid: u32) -> Result<(), ServerError> {
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal, &pid.to_string()]);
    kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A process that has gone meanwhile is what we wanted.
    kill.status().map(|_| ()).doing(|| format!("stop process {pid}"))
}
