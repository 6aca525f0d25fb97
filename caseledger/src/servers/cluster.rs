//! Making PostgreSQL's database cluster: the directory that holds all of its data.

use std::path::Path;
use std::process::{Command, Stdio};

use super::account::Account;
use super::binaries::PostgresPrograms;
use super::data_dir::write_private;
use super::error::{Doing, ServerError};
use super::postgres::{Durability, SUPERUSER};

/// The major version that wrote the cluster; `None` where there is no cluster yet.
pub(super) fn version(cluster: &Path) -> Result<Option<String>, ServerError> {
    let file = cluster.join("PG_VERSION");
    match std::fs::read_to_string(&file) {
        Ok(version) => Ok(Some(version.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ServerError::System {
            doing: format!("read {}", file.display()),
            source,
        }),
    }
}

/// Makes the database cluster `home/data`. It gets its name last, so that one half made is never taken for a whole one.
pub(super) fn initialise(
    programs: &PostgresPrograms,
    account: Option<&Account>,
    home: &Path,
    password: &str,
    durability: Durability,
) -> Result<(), ServerError> {
    let password_file = home.join("password");
    write_private(&password_file, password)?;
    if let Some(account) = account {
        account.own(&password_file)?;
    }
    let unfinished = home.join("data.new");
    let made = make_cluster(programs, account, &unfinished, &password_file, durability);
    std::fs::remove_file(&password_file).doing(|| format!("delete {}", password_file.display()))?;
    made?;
    let cluster = home.join("data");
    std::fs::rename(&unfinished, &cluster).doing(|| format!("name {}", cluster.display()))
}

fn make_cluster(
    programs: &PostgresPrograms,
    account: Option<&Account>,
    cluster: &Path,
    password_file: &Path,
    durability: Durability,
) -> Result<(), ServerError> {
    let mut output = String::new();
    // Not every system has C.UTF-8. Sorting is by code point in both.
    for locale in ["C.UTF-8", "C"] {
        if cluster.exists() {
            std::fs::remove_dir_all(cluster).doing(|| format!("delete {}", cluster.display()))?;
        }
        let mut initdb = initdb(programs, cluster, durability);
        initdb
            .arg(format!("--pwfile={}", password_file.display()))
            .arg(format!("--locale={locale}"));
        if let Some(account) = account {
            account.run(&mut initdb);
        }
        let made = initdb
            .output()
            .doing(|| format!("start {}", programs.initdb.display()))?;
        if made.status.success() {
            return Ok(());
        }
        output = String::from_utf8_lossy(&made.stderr).into_owned();
    }
    let source = std::io::Error::other(output.trim_end().to_owned());
    Err(ServerError::System {
        doing: "make a database cluster".into(),
        source,
    })
}

fn initdb(programs: &PostgresPrograms, cluster: &Path, durability: Durability) -> Command {
    let mut initdb = Command::new(&programs.initdb);
    initdb
        .arg("-D")
        .arg(cluster)
        .args(["-U", SUPERUSER, "--encoding=UTF8", "--data-checksums"]);
    match durability {
        Durability::Full => initdb.arg("--auth=scram-sha-256"),
        // Passwords in clear, on the loopback: a client built without optimisation takes 0.1 s for a SCRAM log-in, and
        // tests log in thousands of times.
        Durability::ForTests => initdb.args(["--auth=password", "--no-sync"]),
    };
    initdb.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    initdb
}
