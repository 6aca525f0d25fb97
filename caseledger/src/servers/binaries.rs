//! Where the servers' programs are: in the user's cache, where `make setup` puts what the machine lacks, then on the
//! PATH, then where Debian and others install PostgreSQL.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::ServerError;

/// A version as its first two numbers; PostgreSQL's second is the minor release.
type Version = (u32, u32);

const OLDEST_POSTGRES: Version = (15, 0);
const OLDEST_NATS: Version = (2, 11);

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone)]
pub(super) struct PostgresPrograms {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
    /// The major version.
    pub(super) version: u32,
}

/// Finds a PostgreSQL of the `major` version that wrote the data, or else any that is new enough.
pub(super) fn postgres(major: Option<u32>) -> Result<PostgresPrograms, ServerError> {
    let mut installed = postgres_directories();
    installed.retain(|directory| directory.join("postgres").is_file() && directory.join("initdb").is_file());
    let found: Vec<(Version, PathBuf)> = installed
        .into_iter()
        .filter_map(|directory| Some((version(&directory.join("postgres"))?, directory)))
        .collect();
    let fits = |version: Version| version >= OLDEST_POSTGRES && major.is_none_or(|major| version.0 == major);
    let suitable = found.iter().find(|(version, _)| fits(*version));
    // Data of another version than we prefer is still ours to name: the caller compares.
    let chosen = suitable.or_else(|| found.iter().find(|(version, _)| *version >= OLDEST_POSTGRES));
    match chosen {
        Some((version, directory)) => Ok(PostgresPrograms {
            initdb: directory.join("initdb"),
            postgres: directory.join("postgres"),
            version: version.0,
        }),
        None => Err(missing("PostgreSQL", "15", found)),
    }
}

/// Finds nats-server.
pub(super) fn nats() -> Result<PathBuf, ServerError> {
    let mut found = Vec::new();
    for directory in cache_and_path() {
        let program = directory.join("nats-server");
        match program.is_file().then(|| version(&program)).flatten() {
            Some(version) if version >= OLDEST_NATS => return Ok(program),
            Some(version) => found.push((version, directory)),
            None => {}
        }
    }
    Err(missing("nats-server", "2.11", found))
}

fn missing(program: &'static str, needed: &'static str, found: Vec<(Version, PathBuf)>) -> ServerError {
    let found = match found.first() {
        Some(((major, minor), directory)) => {
            format!("{major}.{minor} is in {}", directory.display())
        }
        None => "none was found".to_owned(),
    };
    ServerError::Missing { program, needed, found }
}

/// The directories of the cache and the PATH, in the order in which they are searched.
fn cache_and_path() -> Vec<PathBuf> {
    let cache = non_empty("XDG_CACHE_HOME").or_else(|| Some(non_empty("HOME")?.join(".cache")));
    let cache = cache.map(|cache| cache.join("caseledger/bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    cache.into_iter().chain(std::env::split_paths(&path)).collect()
}

/// The cache and the PATH, then the well-known places, the newest version first.
fn postgres_directories() -> Vec<PathBuf> {
    let mut directories = cache_and_path();
    for parent in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"] {
        let versions = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let mut versions: Vec<(u32, PathBuf)> = versions
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                Some((
                    name.trim_start_matches("postgresql@").parse().ok()?,
                    entry.path().join("bin"),
                ))
            })
            .collect();
        versions.sort_by(|a, b| b.cmp(a));
        directories.extend(versions.into_iter().map(|(_, directory)| directory));
    }
    directories.push(PathBuf::from("/usr/pgsql/bin"));
    directories
}

fn non_empty(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value| value != OsStr::new(""))
        .map(PathBuf::from)
}

/// What `program --version` says; `None` where it does not run.
fn version(program: &Path) -> Option<Version> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// Takes `15.14` from `postgres (PostgreSQL) 15.14 (Debian …)`, and `2.15` from `nats-server: v2.15.1`.
fn parse_version(text: &str) -> Option<Version> {
    let word = text
        .split_whitespace()
        .map(|word| word.trim_start_matches('v'))
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let mut numbers = word
        .split(|c: char| !c.is_ascii_digit())
        .map(|digits| digits.parse().ok());
    Some((numbers.next()??, numbers.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_programs_print() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
            Some((15, 14))
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some((18, 0)));
        assert_eq!(parse_version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(parse_version("command not found\n"), None);
    }

    #[test]
    fn a_missing_server_says_what_to_run() {
        let error = missing("nats-server", "2.11", vec![((2, 9), PathBuf::from("/usr/bin"))]);
        let expected = "nats-server 2.11 or newer is needed, and 2.9 is in /usr/bin; run `make setup`";
        assert_eq!(error.to_string(), expected);
    }
}
