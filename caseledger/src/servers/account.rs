//! The account that PostgreSQL runs as where we run as root.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::{Doing, ServerError};

/// An unprivileged account of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account for a server that refuses to run as root; `None` where we are not root and it runs as we do.
    pub(super) fn if_root() -> Result<Option<Account>, ServerError> {
        if !running_as_root() {
            return Ok(None);
        }
        let passwd = std::fs::read_to_string("/etc/passwd").doing(|| "read /etc/passwd".into())?;
        let account = ["postgres", "nobody"]
            .iter()
            .find_map(|name| Account::parse(&passwd, name));
        account.map(Some).ok_or(ServerError::NoAccount)
    }

    /// Reads one account from the text of `/etc/passwd`.
    fn parse(passwd: &str, name: &str) -> Option<Account> {
        let fields: Vec<&str> = passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.first() == Some(&name))?;
        Some(Account {
            name: name.to_owned(),
            uid: fields.get(2)?.parse().ok()?,
            gid: fields.get(3)?.parse().ok()?,
        })
    }

    /// Makes `command` run as this account, without any other group of ours.
    pub(super) fn run(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a file or directory to this account.
    pub(super) fn own(&self, path: &Path) -> Result<(), ServerError> {
        chown(path, Some(self.uid), Some(self.gid)).doing(|| format!("give {} to {}", path.display(), self.name))
    }

    /// Checks that this account can work in `directory`, by letting it try.
    pub(super) fn check_reaches(&self, directory: &Path) -> Result<(), ServerError> {
        let mut attempt = Command::new("sh");
        attempt
            .arg("-c")
            .arg("cd -- \"$1\" && test -w .")
            .arg("sh")
            .arg(directory)
            .current_dir("/");
        attempt.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.run(&mut attempt);
        let status = attempt.status().doing(|| "run sh".into())?;
        if status.success() {
            return Ok(());
        }
        Err(ServerError::Unreachable {
            path: directory.to_owned(),
            account: self.name.clone(),
        })
    }
}

/// Whether this process is root's: the kernel makes `/proc/self` belong to the user that a process acts as.
pub(super) fn running_as_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres-old:x:7:7::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        let account = Account::parse(passwd, "postgres").unwrap();
        assert_eq!(
            account,
            Account {
                name: "postgres".into(),
                uid: 101,
                gid: 104
            }
        );
        assert_eq!(Account::parse(passwd, "nobody"), None);
    }
}
