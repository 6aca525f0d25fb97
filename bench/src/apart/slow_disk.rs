//! On a slower disk: `bench/slow_fdatasync.c` is compiled and preloaded into PostgreSQL, and this program runs itself with a
//! `postgres` first on its PATH that does so. Nothing but the benchmark's own PostgreSQL is slowed down.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use system_tests::TestPostgres;
use tokio::process::Command;

use super::Pace;
use crate::contenders::{Contender, Pool};
use crate::measure::Runs;
use crate::report::Report;

/// Who is measured where it is no smoke test.
pub const CONTENDERS: [Contender; 3] = [
    Contender::Stock(Pool::Usual),
    Contender::Stock(Pool::Large),
    Contender::Service,
];

/// Measures them with an `fdatasync` that takes so much longer.
///
/// # Errors
/// A sentence on what failed; also where PostgreSQL was not slowed down.
pub async fn measure(
    postgres: &Arc<TestPostgres>,
    milliseconds: u32,
    contenders: &[Contender],
    pace: Pace,
) -> Result<Vec<Runs>, String> {
    let folder = Folder::new()?;
    slow_postgres(&folder.0, &programs(postgres).await?, milliseconds).await?;
    let slow = run_ourselves(&folder.0, contenders, pace).await?.measured;
    for runs in &slow {
        let p50 = runs.median().p50;
        if p50 < f64::from(milliseconds) {
            let name = &runs.contender;
            return Err(format!(
                "PostgreSQL was not slowed down: half of the commands of {name} took less than {p50} ms"
            ));
        }
    }
    Ok(slow)
}

/// Where PostgreSQL's programs are.
async fn programs(postgres: &Arc<TestPostgres>) -> Result<PathBuf, String> {
    let pool = postgres.database_bare().await.superuser().await;
    let folder: Result<String, _> = sqlx::query_scalar("SELECT setting FROM pg_config() WHERE name = 'BINDIR'")
        .fetch_one(&pool)
        .await;
    pool.close().await;
    folder.map(PathBuf::from).map_err(|error| error.to_string())
}

/// Makes a `postgres` that is slow, and the `initdb` that it is found by: that one finds the real `postgres` beside itself.
async fn slow_postgres(folder: &Path, programs: &Path, milliseconds: u32) -> Result<(), String> {
    let shim = folder.join("slow_fdatasync.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("slow_fdatasync.c");
    let mut compile = Command::new("cc");
    compile
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .args([&shim, &source])
        .arg("-ldl");
    output_of(&mut compile).await?;
    let (postgres, real) = (folder.join("postgres"), programs.join("postgres"));
    let script = format!(
        "#!/bin/sh\nexport LD_PRELOAD='{}' SLOW_FDATASYNC_MS={milliseconds}\nexec '{}' \"$@\"\n",
        shim.display(),
        real.display()
    );
    std::fs::write(&postgres, script).map_err(|error| failed(&postgres, &error))?;
    allow_everybody(&postgres)?;
    allow_everybody(&shim)?;
    let initdb = folder.join("initdb");
    symlink(programs.join("initdb"), &initdb).map_err(|error| failed(&initdb, &error))
}

/// Runs this program on the contenders, with the folder's programs first.
async fn run_ourselves(folder: &Path, contenders: &[Contender], pace: Pace) -> Result<Report, String> {
    let ours = std::env::current_exe().map_err(|error| error.to_string())?;
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&paths));
    let path = std::env::join_paths(paths).map_err(|error| error.to_string())?;
    let json = folder.join("slow.json");
    let mut run = Command::new(ours);
    run.arg("run").args(contenders.iter().map(|one| one.name()));
    for (flag, number) in [
        ("--clients", pace.clients as u64),
        ("--seconds", pace.time.as_secs()),
        ("--runs", pace.runs as u64),
        ("--cases-of-each", pace.cases as u64),
    ] {
        run.args([flag, &number.to_string()]);
    }
    run.arg("--json").arg(&json).env("PATH", path).kill_on_drop(true);
    output_of(&mut run).await?;
    let text = std::fs::read_to_string(&json).map_err(|error| failed(&json, &error))?;
    serde_json::from_str(&text).map_err(|error| failed(&json, &error))
}

async fn output_of(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn allow_everybody(path: &Path) -> Result<(), String> {
    // PostgreSQL may run as another account than we do.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("bench-slow-disk-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|error| failed(&path, &error))?;
        let folder = Self(path);
        allow_everybody(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
