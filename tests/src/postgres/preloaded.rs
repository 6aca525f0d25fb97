//! A PostgreSQL with a library of ours between it and the system, that makes its disk slow or full.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use super::TestPostgres;

/// A folder with a `postgres` that has the library preloaded, and the `initdb` that it is found by (which finds the real `postgres` beside
/// itself). Whoever has it first on the PATH starts this one. It goes with the value.
#[derive(Debug)]
pub struct PreloadedPostgres {
    folder: TempDir,
}

impl PreloadedPostgres {
    /// Compiles the library from its C source with `cc`, to be preloaded with this variable set. `postgres` tells where the real programs
    /// are.
    ///
    /// # Errors
    /// Where a file can't be made; what `cc` says.
    ///
    /// # Panics
    /// If that `postgres` can't be asked.
    pub async fn new(postgres: &Arc<TestPostgres>, source: &Path, variable: (&str, &str)) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        allow_everybody(folder.path())?;
        let (library, wrapper) = (folder.path().join("preloaded.so"), folder.path().join("postgres"));
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-O2", "-o"]).args([&library, source]);
        let compiled = compile.arg("-ldl").stdin(Stdio::null()).output()?;
        if !compiled.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&compiled.stderr).into_owned()));
        }
        let real = programs(postgres).await;
        let script = format!(
            "#!/bin/sh\nexport LD_PRELOAD='{}' {}='{}'\nexec '{}' \"$@\"\n",
            library.display(),
            variable.0,
            variable.1,
            real.join("postgres").display()
        );
        std::fs::write(&wrapper, script)?;
        allow_everybody(&wrapper)?;
        allow_everybody(&library)?;
        symlink(real.join("initdb"), folder.path().join("initdb"))?;
        Ok(Self { folder })
    }

    /// The PATH of this process, with this one's folder first.
    ///
    /// # Errors
    /// Where the folder can't stand in a PATH.
    pub fn path(&self) -> io::Result<OsString> {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.folder.path().to_owned()).chain(std::env::split_paths(&paths));
        std::env::join_paths(paths).map_err(io::Error::other)
    }

    /// Its folder, which everybody may look into.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Where PostgreSQL's programs are.
async fn programs(postgres: &Arc<TestPostgres>) -> PathBuf {
    // It is dropped with its value: not before it was asked.
    let database = postgres.database_bare().await;
    let pool = database.superuser().await;
    let folder: String = sqlx::query_scalar("SELECT setting FROM pg_config() WHERE name = 'BINDIR'")
        .fetch_one(&pool)
        .await
        .expect("PostgreSQL knows where it is");
    pool.close().await;
    folder.into()
}

fn allow_everybody(path: &Path) -> io::Result<()> {
    // PostgreSQL may run as another account than we do.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}
