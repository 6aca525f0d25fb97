//! Fault 3: NATS is away for a minute, in the middle of a burst.

use std::sync::Arc;
use std::time::{Duration, Instant};

use system_tests::{Council, Running, Traffic, Way};

/// How long it is away.
const AWAY: Duration = Duration::from_secs(60);

/// How long after its return everything flows again.
const FLOWS_AGAIN_WITHIN: Duration = Duration::from_secs(30);

/// What a service may hold in memory at most while nobody can be told anything, in KiB: 256 MiB.
const MEMORY: u64 = 256 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make faults"]
async fn and_flow_soon_after_its_return() {
    let council = Arc::new(Council::new().await);
    let mut services = council.serve_all().await;
    let traffic = Traffic::at_pace(&council, Way::Both, Duration::from_millis(20)).await;
    traffic.flow(60).await;
    council.nats.kill().await;
    // The fault itself is a length of time.
    tokio::time::sleep(AWAY).await;
    for service in &mut services {
        assert!(service.ended().is_none(), "{}", service.output());
        assert!(service.memory() < MEMORY, "{} KiB", service.memory());
    }
    council.nats.start_again().await;
    let returned = Instant::now();
    traffic.flow(16).await;
    assert!(returned.elapsed() < FLOWS_AGAIN_WITHIN, "{:?}", returned.elapsed());
    println!("commands flowed {:?} after NATS was back", returned.elapsed());
    traffic.stop().await.assert_kept(&council, Running::All).await;
}
