//! Fault 18: the disk of Postgres is full, and then that of NATS.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use schemas::result::CommandStatus;
use system_tests::council::{PATIENCE, SERVICES, obstruction};
use system_tests::{Council, PreloadedPostgres, Running, SmallDisk, TestPostgres, Traffic, Way, eventually};

/// Where a stand-in for a full disk looks whether it is one.
const FLAG: &str = "FULL_DISK_FLAG";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "mounts a small disk, as root: make faults"]
async fn of_postgres() {
    let disk = SmallDisk::mount(512);
    let postgres = TestPostgres::durable_in(disk.path()).await;
    full_for_a_while(postgres, || disk.fill(), || disk.free()).await;
}

/// Where nothing can be mounted: `full_disk.c` stands between this PostgreSQL and the system. This test runs itself, with that PostgreSQL
/// first on its PATH.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_postgres_by_a_stand_in() {
    if let Some(flag) = std::env::var_os(FLAG).map(PathBuf::from) {
        let fill = || drop(std::fs::File::create(&flag).unwrap());
        let free = || std::fs::remove_file(&flag).unwrap();
        return full_for_a_while(TestPostgres::durable().await, fill, free).await;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("full_disk.c");
    let folder = tempfile::tempdir().unwrap();
    // PostgreSQL may run as another account than we do, and has to see it.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let flag = folder.path().join("full");
    let preloaded = PreloadedPostgres::new(&TestPostgres::start().await, &source, (FLAG, flag.to_str().unwrap())).await;
    let preloaded = preloaded.unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again
        .args(["a_full_disk_loses_nothing::of_postgres_by_a_stand_in", "--exact"])
        .env("PATH", preloaded.path().unwrap())
        .env(FLAG, &flag);
    let ended = tokio::task::spawn_blocking(move || again.output())
        .await
        .unwrap()
        .unwrap();
    let told = [ended.stdout, ended.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(ended.status.success() && told.contains("1 passed"), "{told}");
}

async fn full_for_a_while(postgres: Arc<TestPostgres>, fill: impl Fn(), free: impl Fn()) {
    let council = Arc::new(Council::on(postgres.database().await).await);
    let _services = council.serve_all().await;
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(10)).await;
    traffic.flow(60).await;
    traffic.witness().keep_checkpoint(&council).await;
    fill();
    // Not at once: what is allocated already is used up first.
    let website = council.client("website").await;
    let witness = traffic.witness();
    eventually("writes are refused", Duration::from_secs(300), || async {
        let command = council.command_of("SubmitRequest", None, obstruction("Deep"));
        witness.sends(&website, &command);
        match website.call(&command).await {
            Ok(result) => {
                witness.hears(&result);
                result.status == CommandStatus::Unavailable
            }
            Err(error) => error.is_transient(),
        }
    })
    .await;
    assert!(
        postgres.log().contains("No space left on device"),
        "that is why: {}",
        postgres.log()
    );
    free();
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
    let services = council.serve_all().await;
    let relay = &services[SERVICES.iter().position(|service| *service == "relay").unwrap()];
    let traffic = Traffic::at_pace(&council, Way::Call, Duration::from_millis(5)).await;
    traffic.flow(60).await;
    disk.fill();
    // Calls need no JetStream: they are answered all the while.
    traffic.flow(400).await;
    relay.line("publish an event: NATS does not answer", PATIENCE).await;
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
