//! The wrapping key, rotated while the system holds people's data.

use std::process::Output;

use serde_json::{Value, json};
use system_tests::council::{PATIENCE, example};
use system_tests::{Council, Process, eventually};

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs a call with this key file.
async fn with_key(council: &Council, file: &str, arguments: &[&str]) -> Output {
    let mut command = council.command();
    command.args(arguments).env("CASELEDGER_KEY_FILE", council.path(file));
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn serve_with_key(council: &Council, file: &str) -> Process {
    let mut command = council.command();
    command
        .args(["serve", "command-service"])
        .env("CASELEDGER_DATABASE_URL", council.database_url("command-service"))
        .env("CASELEDGER_KEY_FILE", council.path(file));
    Process::start(&mut command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrapping_key_is_rotated_and_nothing_is_lost() {
    // Given somebody whose data is sealed
    let council = Council::new().await;
    let mut service = council.serve("command-service");
    let _projections = council.serve("projections");
    let _relay = council.serve("relay");
    council.answering().await;
    let website = council.client("website").await;
    let register = async || {
        let data = example("RegisterCustomer", json!({}));
        council
            .accept(&website, "RegisterCustomer", None, data)
            .await
            .aggregate_id
            .to_string()
    };
    let before = register().await;
    // When the file has one wrapping key more, and the service reads that
    let rotated = council.path("rotated").display().to_string();
    let output = with_key(&council, "key", &["key", "rotate", &rotated]).await;
    assert!(output.status.success(), "{}", text(&output));
    let again = with_key(&council, "key", &["key", "rotate", &rotated]).await;
    assert_eq!(again.status.code(), Some(2), "no file is written over");
    service.stop(PATIENCE).await;
    let _service = serve_with_key(&council, "rotated");
    council.answering().await;
    let after = register().await;
    // Then what is new is wrapped by it, and what was there by the first, until it is wrapped anew
    let status = async |file: &str| -> Value {
        let output = with_key(&council, file, &["--json", "key", "status"]).await;
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)))
    };
    assert_eq!(status("rotated").await["keys"].as_object().unwrap().len(), 2);
    let output = with_key(&council, "rotated", &["key", "rewrap"]).await;
    assert!(output.status.success(), "{}", text(&output));
    let now = status("rotated").await;
    let wrapped = now["keys"].as_object().unwrap();
    assert_eq!(wrapped.len(), 1);
    assert!(wrapped.contains_key(now["in_force"].as_str().unwrap()), "{now}");
    // And both are read with the new file, and with the old one neither
    let show = ["customer", "show", "--officer", "j.okafor", "--reason", "a test"];
    for customer in [&before, &after] {
        let arguments: Vec<&str> = show.iter().copied().chain([customer.as_str()]).collect();
        eventually("the history shows who it is", PATIENCE, || async {
            text(&with_key(&council, "rotated", &arguments).await).contains("@example")
        })
        .await;
        let output = with_key(&council, "key", &arguments).await;
        assert!(!text(&output).contains("@example"), "{}", text(&output));
    }
    // And a repeat is still recognised: fingerprints are what they were
    let output = with_key(&council, "rotated", &["key", "rewrap"]).await;
    assert!(text(&output).starts_with("0 keys"), "{}", text(&output));
}
