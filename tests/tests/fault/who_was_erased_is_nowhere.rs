//! Fault 26: a person is erased; then every view is built anew and the log is verified.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use system_tests::council::{PATIENCE, accepted, example};
use system_tests::{Council, Running, Traffic, Way, Witness, eventually};

/// What nobody may find afterwards.
const NAME: &str = "Zebedee Quillfeather";
const EMAIL: &str = "zebedee.quillfeather@example.org";
const TOLD: &str = "The hedge of the Quillfeather house hangs over";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_log_views_stream_or_output() {
    let council = Arc::new(Council::new().await);
    let mut services = council.serve_all().await;
    let (witness, website) = (Witness::default(), council.client("website").await);
    let register = example("RegisterCustomer", json!({ "name": NAME, "email": EMAIL }));
    let register = council.command_of("RegisterCustomer", None, register);
    let customer = accepted(witness.call(&website, &register).await).aggregate_id;
    let mut submit = system_tests::council::obstruction(TOLD);
    submit["customer_id"] = json!(customer);
    let submit = council.command_of("SubmitRequest", None, submit);
    let case = accepted(witness.send(&website, &submit).await);
    // A command of theirs that is put aside holds their words too, sealed.
    let body = format!("no command, but of {NAME}");
    council
        .raw("website")
        .await
        .request("caseledger.command.website.SubmitRequest", body.clone().into())
        .await
        .unwrap();
    witness.expects_letter_about(body.as_bytes());
    eventually("it is put aside", PATIENCE, || async {
        council.letters().await.len() == 1
    })
    .await;
    witness.assert_kept(&council, Running::All).await;

    sqlx::query("SELECT vault.erase($1::uuid, 'objection')")
        .bind(customer.to_string())
        .execute(&council.database.superuser().await)
        .await
        .unwrap();
    for name in ["history", "reporting"] {
        let rebuilt = council.run(&["projection", "rebuild", name], "").await;
        assert!(rebuilt.status.success(), "{rebuilt:?}");
    }
    let reference = case.reference.unwrap().to_string();
    let arguments = [
        "--json",
        "case",
        "show",
        &reference,
        "--officer",
        "m.hughes",
        "--reason",
        "a complaint",
    ];
    let shown = council.run(&arguments, "").await;
    assert!(shown.status.success(), "{shown:?}");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(&reference) && !shown.contains("Quillfeather"), "{shown}");

    // The log is as it was, and goes on.
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(20)).await;
    traffic.flow(16).await;
    let of_traffic = traffic.stop().await;
    witness.assert_kept(&council, Running::All).await;
    assert!(of_traffic.commands() > 16);

    // Nowhere in clear: not in the database, not in what NATS keeps, not in what any service printed.
    let dumped = council.dump().await;
    for service in &mut services {
        dumped_holds_nothing(&service.output());
    }
    dumped_holds_nothing(&dumped);
    let kept = std::process::Command::new("grep")
        .args(["-r", "-l", "-a", "Quillfeather"])
        .arg(council.nats.store_dir())
        .output()
        .unwrap();
    let kept = String::from_utf8_lossy(&kept.stdout).into_owned();
    // The commands themselves wait in NATS until they are handled, and no longer.
    assert_eq!(kept, "", "NATS keeps it");
}

fn dumped_holds_nothing(text: &str) {
    for personal in [NAME, EMAIL, TOLD] {
        let found = text.lines().find(|line| line.contains(personal));
        assert!(found.is_none(), "{found:?}");
    }
}
