//! Fault 4: the data directory of NATS is wiped, or is the one of some time ago.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use system_tests::{Council, Running, Traffic, Way};

async fn flowing() -> (Arc<Council>, Vec<system_tests::Process>, Traffic) {
    let council = Arc::new(Council::new().await);
    let services = council.serve_all().await;
    let traffic = Traffic::at_pace(&council, Way::Both, Duration::from_millis(20)).await;
    traffic.flow(60).await;
    (council, services, traffic)
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "{} can't be copied", from.display());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make faults"]
async fn after_its_data_directory_was_wiped() {
    let (council, _services, traffic) = flowing().await;
    council.nats.wipe().await;
    council.make_streams().await;
    traffic.flow(60).await;
    traffic.stop().await.assert_kept(&council, Running::All).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make faults"]
async fn after_its_data_directory_went_back_in_time() {
    let (council, _services, traffic) = flowing().await;
    let folder = tempfile::tempdir().unwrap();
    let (store, kept) = (council.nats.store_dir(), folder.path().join("store"));
    council.nats.stop().await;
    copy(&store, &kept);
    council.nats.start_again().await;
    traffic.flow(120).await;
    council.nats.stop().await;
    std::fs::remove_dir_all(&store).unwrap();
    copy(&kept, &store);
    council.nats.start_again().await;
    traffic.flow(60).await;
    traffic.stop().await.assert_kept(&council, Running::All).await;
}
