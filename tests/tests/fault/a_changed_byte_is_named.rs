//! Fault 19: a superuser switches the triggers off and changes one byte of one event.

use std::sync::Arc;

use system_tests::{Council, Running, Traffic, Way};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tiles_and_by_the_event_stream() {
    let council = Arc::new(Council::new().await);
    let services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let traffic = Traffic::start(&council, Way::Call).await;
    traffic.flow(40).await;
    let witness = traffic.stop().await;
    witness.assert_kept(&council, Running::Relay).await;
    council.keep_audit_checkpoint().await;
    let (status, verified) = council
        .audit(&["verify", "--stream", "--tiles", "tiles", "--checkpoint", "outside"])
        .await;
    assert_eq!(status, 0, "{verified}");
    drop(services);

    // A letter of a sealed value: still JSON, and of the same length.
    council
        .tamper(
            "UPDATE ledger.events SET payload = regexp_replace(payload::text, '\"request_type\":\"o', '\"request_type\":\"O')::json
             WHERE position = (SELECT min(position) FROM ledger.events WHERE event_type = 'RequestSubmitted')",
        )
        .await;
    let changed = "SELECT min(position) FROM ledger.events WHERE event_type = 'RequestSubmitted'";
    let position: i64 = sqlx::query_scalar(changed)
        .fetch_one(&council.owner().await)
        .await
        .unwrap();
    for evidence in [["--tiles", "tiles"].as_slice(), &["--stream"]] {
        let (status, found) = council.audit(&[&["verify"], evidence].concat()).await;
        assert_eq!(status, 1, "{found}");
        let named = &found["findings"][0];
        assert_eq!(
            (named["kind"].as_str(), named["position"].as_i64()),
            (Some("altered"), Some(position)),
            "{found}"
        );
    }
    // Who only has the checkpoint knows that it is another log.
    let (status, found) = council.audit(&["verify", "--checkpoint", "outside"]).await;
    assert_eq!(
        (status, found["findings"][0]["kind"].as_str()),
        (1, Some("checkpoint")),
        "{found}"
    );

    // Who reads the log anew does not take it either: there is no such type of request.
    let mut notifier = council.serve("notifier");
    let ended = notifier.end(system_tests::council::PATIENCE).await;
    assert!(
        !ended.success() && notifier.output().contains(&format!("position {position}")),
        "{}",
        notifier.output()
    );
    let breaches = witness.breaches(&council, Running::Relay).await;
    assert!(
        breaches.iter().any(|breach| breach.positions == [position]),
        "{breaches:?}"
    );
}
