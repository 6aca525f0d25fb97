//! Fault 18: the disk of Postgres is full, and then that of NATS.

use std::sync::Arc;
use std::time::Duration;

use system_tests::council::{PATIENCE, obstruction};
use system_tests::{Council, Running, SmallDisk, TestPostgres, Traffic, Way, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "mounts a small disk, as root: make faults"]
async fn of_postgres() {
    let disk = SmallDisk::mount(512);
    let postgres = TestPostgres::durable_in(disk.path()).await;
    let council = Arc::new(Council::on(postgres.database().await).await);
    let _services = council.serve_all().await;
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(10)).await;
    traffic.flow(60).await;
    traffic.witness().keep_checkpoint(&council).await;
    disk.fill();
    // Not at once: what is allocated already is used up first.
    let website = council.client("website").await;
    let witness = traffic.witness();
    eventually("writes are refused", Duration::from_secs(300), || async {
        let command = council.command_of("SubmitRequest", None, obstruction("Deep"));
        witness.sends(&website, &command);
        match website.call(&command).await {
            Ok(result) => {
                witness.hears(&result);
                result.status == schemas::result::CommandStatus::Unavailable
            }
            Err(error) => error.is_transient(),
        }
    })
    .await;
    disk.free();
    if !postgres.is_running() {
        println!("Postgres had stopped itself: it is started again, as its supervisor would");
        postgres.kill().await;
        postgres.start_again().await;
    }
    traffic.flow(60).await;
    traffic.stop().await.assert_kept(&council, Running::All).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "mounts a small disk, as root: make faults"]
async fn of_nats() {
    // The stream of commands reserves half a gigabyte.
    let disk = SmallDisk::mount(2048);
    let council = Arc::new(Council::with_bus_in(system_tests::database().await, disk.path()).await);
    let _services = council.serve_all().await;
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(5)).await;
    traffic.flow(60).await;
    disk.fill();
    // Calls need no JetStream: they are answered all the while.
    traffic.flow(400).await;
    let owner = council.owner().await;
    let head = "SELECT position FROM ledger.head";
    let head: i64 = sqlx::query_scalar(head).fetch_one(&owner).await.unwrap();
    disk.free();
    // JetStream may have switched itself off, which only a restart undoes.
    council.nats.stop().await;
    council.nats.start_again().await;
    traffic.flow(60).await;
    eventually("the stream goes on", PATIENCE, || async {
        council.stream_end().await > head
    })
    .await;
    traffic.stop().await.assert_kept(&council, Running::All).await;
}
