//! The private servers: they start, stop, keep their data, and never outlive their starter.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use caseledger::servers::{DataDir, Durability, NatsConfig, NatsServer, PostgresServer, ServerError};
use sqlx::{Connection, PgConnection};
use system_tests::{Process, eventually};

const SOON: Duration = Duration::from_secs(30);

/// The directory in which [`holds_servers`] works when a test starts it as a process of its own.
const HELD_DIRECTORY: &str = "CASELEDGER_TEST_HELD_DIRECTORY";

/// A directory that PostgreSQL's account can reach too, deleted with the value.
fn directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

fn postgres_in(data: &Arc<DataDir>) -> PostgresServer {
    PostgresServer::start(Arc::clone(data), Durability::ForTests).unwrap()
}

fn nats_in(data: &Arc<DataDir>) -> NatsServer {
    let accounts = "accounts { A { jetstream: enabled, users: [{ user: a, password: a }] } }";
    NatsServer::start(Arc::clone(data), &NatsConfig::new(accounts)).unwrap()
}

async fn connect(server: &PostgresServer) -> PgConnection {
    PgConnection::connect(&server.superuser_url("postgres")).await.unwrap()
}

async fn stream_names(server: &NatsServer) -> Vec<String> {
    use futures::TryStreamExt;
    let options = async_nats::ConnectOptions::with_user_and_password("a".into(), "a".into());
    let client = options.connect(server.url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    jetstream.stream_names().try_collect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_finds_the_data_of_the_first() {
    let directory = directory();
    for start in 0..2 {
        let data = Arc::new(DataDir::open(directory.path()).unwrap());
        let (mut postgres, mut nats) = (postgres_in(&data), nats_in(&data));
        let mut connection = connect(&postgres).await;
        if start == 0 {
            sqlx::query("CREATE TABLE kept AS SELECT 42 AS value")
                .execute(&mut connection)
                .await
                .unwrap();
            let options = async_nats::ConnectOptions::with_user_and_password("a".into(), "a".into());
            let jetstream = async_nats::jetstream::new(options.connect(nats.url()).await.unwrap());
            jetstream.create_stream("KEPT").await.unwrap();
        } else {
            let value: i32 = sqlx::query_scalar("SELECT value FROM kept")
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert_eq!(value, 42);
            assert_eq!(stream_names(&nats).await, ["KEPT"]);
        }
        nats.stop().unwrap();
        postgres.stop().unwrap();
        assert!(!postgres.is_running().unwrap() && !nats.is_running().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_starts_again_on_its_port() {
    let directory = directory();
    let data = Arc::new(DataDir::open(directory.path()).unwrap());
    let (mut postgres, mut nats) = (postgres_in(&data), nats_in(&data));
    let ports = (postgres.port(), nats.port());
    postgres.kill().unwrap();
    nats.kill().unwrap();
    postgres.start_again().unwrap();
    nats.start_again().unwrap();
    assert_eq!((postgres.port(), nats.port()), ports);
    connect(&postgres).await;
    assert!(stream_names(&nats).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bus_takes_new_accounts_and_keeps_the_old_ones_where_it_cannot() {
    let directory = directory();
    let data = Arc::new(DataDir::open(directory.path()).unwrap());
    let mut nats = nats_in(&data);
    let as_b = || async_nats::ConnectOptions::with_user_and_password("b".into(), "b".into());
    as_b().connect(nats.url()).await.unwrap_err();
    nats.reload("accounts { A { jetstream: enabled, users: [{ user: b, password: b }] } }")
        .unwrap();
    as_b().connect(nats.url()).await.unwrap();
    let error = nats.reload("accounts {").unwrap_err();
    assert!(matches!(error, ServerError::Refused { .. }), "{error}");
    nats.kill().unwrap();
    nats.start_again().unwrap();
    as_b().connect(nats.url()).await.unwrap();
}

#[test]
fn a_data_directory_belongs_to_one_process_at_a_time() {
    let directory = directory();
    let first = DataDir::open(directory.path()).unwrap();
    let error = DataDir::open(directory.path()).unwrap_err();
    assert!(matches!(error, ServerError::Busy { .. }), "{error}");
    drop(first);
    DataDir::open(directory.path()).unwrap();
}

#[test]
fn who_is_about_to_go_is_waited_for() {
    let directory = directory();
    let first = DataDir::open(directory.path()).unwrap();
    let going = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        drop(first);
    });
    DataDir::open(directory.path()).unwrap();
    going.join().unwrap();
}

#[test]
fn a_secret_is_generated_once_and_only_we_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = directory();
    let data = DataDir::open(directory.path()).unwrap();
    let secret = data.secret("example").unwrap();
    assert_eq!(secret.len(), 64);
    assert_eq!(data.secret("example").unwrap(), secret);
    assert_ne!(data.secret("another").unwrap(), secret);
    let mode = std::fs::metadata(directory.path().join("secrets/example"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_temporary_directory_goes_with_its_server() {
    let data = Arc::new(DataDir::temporary().unwrap());
    let path = data.path().to_owned();
    let mut postgres = postgres_in(&data);
    postgres.stop().unwrap();
    assert!(path.exists(), "it is kept as long as the server may start again");
    postgres.start_again().unwrap();
    drop((postgres, data));
    assert!(!path.exists());
}

/// Not a test of its own: the process that the tests below kill. It holds two servers until then.
#[test]
#[ignore = "started by other tests, as a process that they kill"]
fn holds_servers() {
    let Some(directory) = std::env::var_os(HELD_DIRECTORY) else {
        return;
    };
    let data = Arc::new(DataDir::open(Path::new(&directory)).unwrap());
    let _servers = (postgres_in(&data), nats_in(&data));
    println!("holding");
    loop {
        std::thread::park();
    }
}

/// Starts [`holds_servers`] in a process of its own, and waits until both servers run.
async fn start_holder(directory: &Path) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "servers::holds_servers", "--nocapture"]);
    let holder = Process::start(command.env(HELD_DIRECTORY, directory));
    holder.line("holding", SOON).await;
    holder
}

/// The ids of the processes that have `directory` in their command line: the servers and their watchers.
fn processes_of(directory: &Path) -> Vec<(u32, String)> {
    let arguments = |entry: std::fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let command_line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some((id, String::from_utf8_lossy(&command_line).into_owned()))
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten().filter_map(arguments);
    let directory = directory.canonicalize().unwrap().display().to_string();
    processes
        .filter(|(_, command_line)| command_line.contains(&directory))
        .collect()
}

fn kill(process: u32) {
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -s KILL {process}")])
        .status()
        .unwrap();
    assert!(killed.success());
}

#[tokio::test]
async fn servers_end_with_a_starter_that_is_killed() {
    let directory = directory();
    let mut holder = start_holder(directory.path()).await;
    assert!(
        processes_of(directory.path()).len() >= 4,
        "two servers and their watchers"
    );
    holder.kill();
    eventually("the servers end", SOON, || async {
        processes_of(directory.path()).is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_watcher_left_behind_is_stopped_by_the_next_start() {
    let directory = directory();
    let mut holder = start_holder(directory.path()).await;
    let before = processes_of(directory.path());
    let is_watcher = |command_line: &str| command_line.starts_with("sh\0");
    // Watchers first: they would stop the servers. A watcher has a child that listens for it, and it goes too.
    for (process, _) in before.iter().filter(|(_, command_line)| is_watcher(command_line)) {
        kill(*process);
    }
    holder.kill();
    let left: Vec<u32> = processes_of(directory.path())
        .into_iter()
        .map(|(process, _)| process)
        .collect();
    assert!(!left.is_empty(), "the servers outlive their watchers");

    let data = Arc::new(DataDir::open(directory.path()).unwrap());
    let (postgres, nats) = (postgres_in(&data), nats_in(&data));
    connect(&postgres).await;
    assert!(stream_names(&nats).await.is_empty());
    let now = processes_of(directory.path());
    assert!(
        now.iter().all(|(process, _)| !left.contains(process)),
        "still there of {left:?}: {now:?}"
    );
}

#[test]
fn a_process_id_that_went_to_somebody_else_is_left_alone() {
    let directory = directory();
    let data = Arc::new(DataDir::open(directory.path()).unwrap());
    drop(nats_in(&data));
    let mut bystander = Command::new("sleep").arg("60").spawn().unwrap();
    std::fs::write(pid_file(&data), bystander.id().to_string()).unwrap();
    let _nats = nats_in(&data);
    assert!(bystander.try_wait().unwrap().is_none());
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

fn pid_file(data: &DataDir) -> PathBuf {
    data.path().join("nats/pid")
}
