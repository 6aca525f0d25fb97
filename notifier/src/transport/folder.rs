//! Emails as files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{Email, Undelivered};

/// A folder of `.eml` files. What is in it is in clear: only its owner may look.
#[derive(Clone, Debug)]
pub struct Folder {
    directory: PathBuf,
}

impl Folder {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) async fn send(&self, email: &Email) -> Result<(), Undelivered> {
        let (directory, name, bytes) = (
            self.directory.clone(),
            email.file_name.clone(),
            email.message.formatted(),
        );
        let written = tokio::task::spawn_blocking(move || write(&directory, &name, &bytes)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            _ => Err(Undelivered::for_now("folder")),
        }
    }
}

/// Writes a file whole or not at all. One of the same name is replaced: it is the same email, sent again.
fn write(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let unfinished = directory.join(format!(".{name}.unfinished"));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, directory.join(name))?;
    // The directory holds the name: without this a power failure could take it.
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_only_its_owner_may_look() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("mail/new");
        write(&folder, "1-a.eml", b"a longer first text").unwrap();
        write(&folder, "1-a.eml", b"second").unwrap();
        let names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["1-a.eml"]);
        assert_eq!(fs::read(folder.join("1-a.eml")).unwrap(), b"second");
        for (path, mode) in [(folder.join("1-a.eml"), 0o600), (folder, 0o700)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
    }
}
