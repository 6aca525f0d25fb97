//! `caseledger client`: who is let in can work at once, who is shut out can't.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use system_tests::council::caseledger;
use system_tests::{Process, eventually};

/// First start of everything on a busy machine.
const READY: Duration = Duration::from_secs(120);

const REQUEST: &str = r#"{"request_type": "pothole", "description": "Deep, by the school.",
    "actor": {"kind": "resident", "assurance": "none"}, "channel": "online"}"#;

/// A call of an operator with the settings that `dev` wrote; what it printed, and whether its answer was yes.
fn caseledger_with(ready: &Value, arguments: &[&str], input: &str) -> (String, bool) {
    use std::io::Write;
    let mut command = Command::new(caseledger());
    command.args(arguments);
    for (name, value) in ready["env"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    let piped = std::process::Stdio::piped;
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    // A call that reads nothing may have closed it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (said.into_owned(), output.status.success())
}

async fn started(folder: &Path) -> (Process, Value) {
    let file = folder.join("ready.json");
    let mut command = Command::new(caseledger());
    command
        .arg("dev")
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--ready-file")
        .arg(&file);
    let dev = Process::start(&mut command);
    let ready = eventually("dev is ready", READY, || async {
        std::fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
    })
    .await;
    (dev, ready)
}

#[tokio::test]
async fn a_client_that_is_let_in_is_answered_and_one_that_is_shut_out_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (_dev, ready) = started(folder.path()).await;
    let walk = move || {
        let call = |arguments: &[&str]| caseledger_with(&ready, arguments, REQUEST);
        let send = ["send", "SubmitRequest", "--client", "parish"];

        let add = [
            "client",
            "add",
            "parish",
            "--command",
            "SubmitRequest",
            "--service",
            "highways",
            "--reads",
            "highways",
            "--actor",
            "resident",
        ];
        let (said, _) = call(&add);
        assert!(said.contains("In force."), "{said}");
        let (said, accepted) = call(&send);
        assert!(accepted && said.contains("accepted"), "{said}");

        let (said, _) = call(&["client", "revoke", "parish"]);
        assert!(
            said.contains("parish is shut out") && said.contains("In force."),
            "{said}"
        );
        let (said, accepted) = call(&send);
        assert!(!accepted && !said.contains("accepted"), "{said}");
    };
    tokio::task::spawn_blocking(walk).await.unwrap();
}
