//! A disk that is small enough to be filled.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file system of its own, in memory. It goes with the value.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of so many megabytes.
    ///
    /// # Panics
    /// If the machine does not let us: it takes root.
    pub fn mount(megabytes: u32) -> SmallDisk {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        // A server that is not root may pass through.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).expect("our own folder");
        let size = format!("size={megabytes}m,mode=755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "a small disk can't be mounted here: run this test as root, on a machine that allows it"
        );
        SmallDisk { folder }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all room that is left.
    ///
    /// # Panics
    /// If it can't be written for another reason.
    pub fn fill(&self) {
        let mut ballast = std::fs::File::create(self.ballast()).expect("a file can be made");
        for piece in [vec![0; 1 << 20], vec![0; 1 << 12]] {
            loop {
                match ballast.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("the disk can't be filled: {error}"),
                }
            }
        }
    }

    /// Gives that room back.
    ///
    /// # Panics
    /// If it was not taken.
    pub fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("the disk was filled");
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server may be on its way out still.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}
