//! Fault 5: Postgres is restarted under load, in good order and by a kill, and is away for half a minute.

use std::sync::Arc;
use std::time::Duration;

use system_tests::{Council, Running, TestPostgres, Traffic, Way};

async fn restarted(stop: impl AsyncFn(&Arc<TestPostgres>)) {
    let postgres = TestPostgres::durable().await;
    let council = Arc::new(Council::on(postgres.database().await).await);
    let mut services = council.serve_all().await;
    let traffic = Traffic::at_pace(&council, Way::Both, Duration::from_millis(20)).await;
    traffic.flow(60).await;
    traffic.witness().keep_checkpoint(&council).await;
    stop(&postgres).await;
    postgres.start_again().await;
    traffic.flow(60).await;
    for service in &mut services {
        assert!(service.ended().is_none(), "{}", service.output());
    }
    traffic.stop().await.assert_kept(&council, Running::All).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "has a Postgres of its own: make faults"]
async fn after_a_restart_in_good_order() {
    restarted(async |postgres| postgres.stop().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill() {
    restarted(async |postgres| postgres.kill().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make faults"]
async fn after_half_a_minute_without_it() {
    restarted(async |postgres| {
        postgres.kill().await;
        // The fault itself is a length of time.
        tokio::time::sleep(Duration::from_secs(30)).await;
    })
    .await;
}
