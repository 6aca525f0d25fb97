//! A private PostgreSQL that follows another one.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::account::Account;
use super::binaries;
use super::data_dir::{DataDir, make_directory, write_private};
use super::error::{Doing, ServerError};
use super::postgres::{Durability, PostgresServer, SUPERUSER, SUPERUSER_SECRET};

impl PostgresServer {
    /// Starts a standby of this server in `data`, which must be new: from a base backup, and streaming from then on. The primary knows
    /// it as `name` (in `pg_stat_replication`, and for `synchronous_standby_names`); its superuser has the primary's password.
    ///
    /// Returns when the standby takes connections; it may still be behind.
    ///
    /// # Errors
    /// As for [`start`](Self::start); [`ServerError::System`] with what `pg_basebackup` said.
    pub fn start_standby(
        &self,
        data: Arc<DataDir>,
        name: &str,
        durability: Durability,
    ) -> Result<PostgresServer, ServerError> {
        write_private(&data.secrets_dir().join(SUPERUSER_SECRET), self.password())?;
        let home = data.path().join("postgres");
        make_directory(&home, 0o700)?;
        let cluster = home.join("data");
        self.back_up(&cluster, name)?;
        if let Some(account) = Account::if_root()? {
            own_all(&account, &cluster)?;
        }
        PostgresServer::start(data, durability)
    }

    fn back_up(&self, cluster: &Path, name: &str) -> Result<(), ServerError> {
        let postgres = binaries::postgres(None)?.postgres;
        // On the PATH there may be a link to the one of the two only.
        let installed = postgres
            .canonicalize()
            .doing(|| format!("find {}", postgres.display()))?;
        let program = installed.with_file_name("pg_basebackup");
        let mut backup = Command::new(&program);
        backup
            .args(["--host=127.0.0.1", &format!("--port={}", self.port())])
            .args([&format!("--username={SUPERUSER}"), "--no-password"])
            .arg(format!("--dbname=application_name={name}"))
            .args(["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf"])
            .arg("--pgdata")
            .arg(cluster)
            .env("PGPASSWORD", self.password())
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null());
        let made = backup.output().doing(|| format!("start {}", program.display()))?;
        if made.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&made.stderr).trim_end().to_owned();
        Err(ServerError::System {
            doing: "make a base backup".into(),
            source: std::io::Error::other(said),
        })
    }
}

/// Gives a folder and all that is in it to an account.
fn own_all(account: &Account, path: &Path) -> Result<(), ServerError> {
    account.own(path)?;
    let reading = || format!("read {}", path.display());
    for entry in std::fs::read_dir(path).doing(reading)? {
        let entry = entry.doing(reading)?;
        if entry.file_type().doing(reading)?.is_dir() {
            own_all(account, &entry.path())?;
        } else {
            account.own(&entry.path())?;
        }
    }
    Ok(())
}
