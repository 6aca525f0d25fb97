//! Real processes: started, listened to, signalled and killed.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::eventually;

/// A running process and what it printed. It is killed with the value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts a command, and collects what it prints on standard output and standard error.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(command: &mut Command) -> Process {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take(), &lines);
        collect(child.stderr.take(), &lines);
        Process { child, lines }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How much memory it holds, in KiB: what is resident.
    ///
    /// # Panics
    /// If the process has ended.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("the process runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        resident.expect("the system says what is resident")
    }

    /// Everything that it has printed so far, both streams together.
    pub fn output(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// Waits for a line that contains `text`, and returns it.
    ///
    /// # Panics
    /// If it does not come within the deadline, with what was printed instead.
    pub async fn line(&self, text: &str, deadline: Duration) -> String {
        let what = format!("process {} prints {text:?}", self.id());
        eventually(&what, deadline, || async {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.iter().find(|line| line.contains(text)).cloned()
        })
        .await
    }

    /// Sends a signal by name, such as `TERM`, `STOP` or `CONT`.
    ///
    /// # Panics
    /// If the process has ended.
    pub fn signal(&mut self, name: &str) {
        // The process is our child and not waited for yet: its id cannot have gone to another one.
        assert!(
            self.ended().is_none(),
            "process {} has ended:\n{}",
            self.id(),
            self.output()
        );
        let id = self.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &id])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "signal {name} did not reach process {id}"
        );
    }

    /// Kills the process (SIGKILL) and waits for its end.
    ///
    /// # Panics
    /// If the system does not let us.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    /// If the system does not say.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be looked at")
    }

    /// Waits until the process ends by itself.
    ///
    /// # Panics
    /// If it does not within the deadline.
    pub async fn end(&mut self, deadline: Duration) -> ExitStatus {
        let what = format!("process {} ends", self.id());
        let child = Mutex::new(&mut self.child);
        let look = || async {
            let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
            child.try_wait().expect("a child can be looked at")
        };
        eventually(&what, deadline, look).await
    }

    /// Asks the process to stop (SIGTERM) and waits for its end.
    ///
    /// # Panics
    /// If it does not end within the deadline.
    pub async fn stop(&mut self, deadline: Duration) -> ExitStatus {
        self.signal("TERM");
        self.end(deadline).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("process {} had printed:\n{}", self.id(), self.output());
        }
    }
}

fn collect(stream: Option<impl Read + Send + 'static>, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    let stream = BufReader::new(stream.expect("the stream is piped"));
    // Ends with the stream: when the process has ended, and whoever inherited the stream.
    std::thread::spawn(move || {
        for line in stream.split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}
