//! Python `eventsourcing` on PostgreSQL, in a process of its own: `bench/python/eventsourcing_peer.py`.
//!
//! Its clients are threads, as the library's own documentation has them; the script measures, and this reads what it says.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use system_tests::{TestDatabase, TestPostgres};
use tokio::process::Command as Program;
use url::Url;

use super::Ready;
use crate::cpu::CpuUse;
use crate::load::{Command, Load, Measured};

/// The version that is measured.
const PACKAGE: &str = "eventsourcing[postgres]==9.5.6";

/// The Python peer on a database of its own.
pub struct Python {
    python: PathBuf,
    database: TestDatabase,
}

/// What the script says of one run.
#[derive(Deserialize)]
struct Said {
    commands: u64,
    seconds: f64,
    p50: f64,
    p99: f64,
    p999: f64,
    conflicts: u64,
    cpu: f64,
}

impl Python {
    /// Installs the library where it is missing, beside the build; sets the database up with the cases and their prior events.
    pub async fn set_up(postgres: &Arc<TestPostgres>, cases: usize) -> Result<Self, String> {
        let python = installed().await?;
        let database = postgres.database_bare().await;
        let peer = Self { python, database };
        peer.call(&["seed", &cases.to_string()]).await?;
        Ok(peer)
    }

    async fn call(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let url = Url::parse(&self.database.owner_url()).map_err(|error| error.to_string())?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/eventsourcing_peer.py");
        let mut program = Program::new(&self.python);
        program
            .arg(script)
            .args(arguments)
            .env("PERSISTENCE_MODULE", "eventsourcing.postgres")
            .env("POSTGRES_DBNAME", url.path().trim_start_matches('/'))
            .env("POSTGRES_HOST", url.host_str().unwrap_or_default())
            .env("POSTGRES_PORT", url.port().unwrap_or_default().to_string())
            .env("POSTGRES_USER", url.username())
            .env("POSTGRES_PASSWORD", url.password().unwrap_or_default())
            .env("POSTGRES_POOL_SIZE", "10")
            .env("POSTGRES_MAX_OVERFLOW", "0")
            .env("POSTGRES_POOL_TIMEOUT", "30");
        run(&mut program).await
    }
}

/// A virtual environment beside the build, with the library in it.
async fn installed() -> Result<PathBuf, String> {
    let ours = std::env::current_exe().map_err(|error| error.to_string())?;
    let beside = ours.parent().ok_or("the program lies in no folder")?;
    let folder = beside.join("python-eventsourcing");
    let python = folder.join("bin/python");
    let is_there = python.exists()
        && run(Program::new(&python).args(["-c", "import eventsourcing, psycopg"]))
            .await
            .is_ok();
    if !is_there {
        run(Program::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).await?;
        run(Program::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE])).await?;
    }
    Ok(python)
}

async fn run(program: &mut Program) -> Result<Vec<u8>, String> {
    let output = program
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("{program:?}: {error}"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[async_trait]
impl Ready for Python {
    fn command(&self) -> Command {
        // It measures itself.
        Arc::new(|_| {
            Box::pin(std::future::ready(Err(
                "the Python peer has clients of its own".to_owned()
            )))
        })
    }

    async fn measure(&mut self, load: Load) -> Option<Result<Measured, String>> {
        let (clients, cases) = (load.clients.to_string(), load.cases.to_string());
        let seconds = [load.warm_up, load.time].map(|time| time.as_secs_f64().to_string());
        let said = self
            .call(&["run", &clients, &cases, &seconds[0], &seconds[1]])
            .await
            .and_then(|out| serde_json::from_slice::<Said>(&out).map_err(|error| error.to_string()));
        Some(said.map(|said| Measured {
            commands: said.commands,
            seconds: said.seconds,
            p50: said.p50,
            p99: said.p99,
            p999: said.p999,
            conflicts: said.conflicts,
            cpu: CpuUse([("client".to_owned(), said.cpu)].into()),
        }))
    }

    async fn close(self: Box<Self>) {}
}
