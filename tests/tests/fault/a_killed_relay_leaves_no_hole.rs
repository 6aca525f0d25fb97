//! Fault 2: the relay is killed before it publishes, while it does, and after the stream has the event.
//!
//! What the stream holds is the relay's checkpoint: there is no other that could differ from it.

use std::sync::Arc;
use std::time::Duration;

use system_tests::council::PATIENCE;
use system_tests::{Council, Running, Traffic, Way, eventually};

/// Relays until each of these points in turn, while commands flow, and finds the stream without a hole.
async fn killed_at(points: &[&str]) {
    let council = Arc::new(Council::new().await);
    let _service = council.serve("command-service");
    council.answering().await;
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(50)).await;
    for (passing, point) in (3..).zip(points) {
        let mut relay = council.serve_until("relay", &format!("{point}:{passing}"));
        let what = format!("the relay ends {point}");
        eventually(&what, PATIENCE, || std::future::ready(relay.ended().is_some())).await;
        assert!(
            !relay.ended().unwrap().success(),
            "it ended by itself: {}",
            relay.output()
        );
    }
    let _last = council.serve("relay");
    traffic.flow(20).await;
    traffic.stop().await.assert_kept(&council, Running::Relay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_it_was() {
    killed_at(&["before-publish", "after-publish", "after-pub-ack"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make faults"]
async fn at_each_point_ten_times() {
    killed_at(&["before-publish", "after-publish", "after-pub-ack"].repeat(10)).await;
}
