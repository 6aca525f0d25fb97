//! The folder of the tree: `checkpoint` and `tile/…`, as C2SP `tlog-tiles` has them.
//!
//! It belongs on another machine than the database, or at least to another user: it is what the log is compared with. It is no table of
//! the database, since whoever can alter the log there could alter that too.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use audit::{Hash, TILE_WIDTH, Tile};

/// What is wrong with the folder.
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// The file system.
    #[error("can't {doing} {path}: {source}")]
    Io {
        /// Read or write.
        doing: &'static str,
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A tile has not so many hashes as it should.
    #[error(
        "{0} has not the hashes that it should: keep `checkpoint`, remove the folder `tile`, and run `caseledger audit checkpoint`"
    )]
    Damaged(PathBuf),
}

/// The folder, locked: one writes, or several read.
#[derive(Debug)]
pub struct TileStore {
    folder: PathBuf,
    /// Tiles that were written and may not be on disk yet.
    unsynced: Vec<PathBuf>,
    _lock: File,
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TileError {
    let path = path.to_owned();
    move |source| TileError::Io { doing, path, source }
}

impl TileStore {
    /// To be written to, alone: whoever reads or writes is waited for. It is made where it is not there.
    ///
    /// # Errors
    /// [`TileError`].
    pub fn to_write(folder: &Path) -> Result<Self, TileError> {
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        let path = folder.join("lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(failed("write", &path))?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(Self {
            folder: folder.to_owned(),
            unsynced: Vec::new(),
            _lock: file,
        })
    }

    /// To be read. Whoever writes is waited for.
    ///
    /// # Errors
    /// [`TileError`].
    pub fn to_read(folder: &Path) -> Result<Self, TileError> {
        let lock = folder.join("lock");
        let file = File::open(&lock).map_err(failed("read", &lock))?;
        file.lock_shared().map_err(failed("lock", &lock))?;
        Ok(Self {
            folder: folder.to_owned(),
            unsynced: Vec::new(),
            _lock: file,
        })
    }

    /// The last checkpoint, as a signed note; none in a new folder.
    ///
    /// # Errors
    /// [`TileError`].
    pub fn checkpoint(&self) -> Result<Option<String>, TileError> {
        let path = self.folder.join("checkpoint");
        match fs::read_to_string(&path) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// Writes the checkpoint, once all tiles that were written are on disk. What was there of a tile while it was not whole goes then.
    ///
    /// # Errors
    /// [`TileError`].
    pub fn set_checkpoint(&mut self, note: &str) -> Result<(), TileError> {
        let sync = |path: &Path| {
            let synced = File::open(path).and_then(|file| file.sync_all());
            synced.map_err(failed("write", path))
        };
        let tiles = std::mem::take(&mut self.unsynced);
        tiles.iter().try_for_each(|tile| sync(tile))?;
        let folders: BTreeSet<&Path> = tiles.iter().filter_map(|tile| tile.parent()).collect();
        folders.into_iter().try_for_each(sync)?;
        let unfinished = self.unfinished(note.as_bytes())?;
        sync(&unfinished)?;
        let path = self.folder.join("checkpoint");
        fs::rename(&unfinished, &path).map_err(failed("write", &path))?;
        sync(&self.folder)?;
        tiles.iter().try_for_each(|tile| {
            // There is such a folder beside a whole tile alone.
            let parts = PathBuf::from(format!("{}.p", tile.display()));
            match fs::remove_dir_all(&parts) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &parts)(error)),
                _ => Ok(()),
            }
        })
    }

    /// The hashes of a tile. One that is not whole may be whole by now.
    ///
    /// # Errors
    /// [`TileError`].
    pub fn read(&self, tile: Tile) -> Result<Vec<Hash>, TileError> {
        let path = self.folder.join(tile.to_string());
        let whole = Tile {
            width: TILE_WIDTH,
            ..tile
        };
        let whole_path = self.folder.join(whole.to_string());
        let hashes = match fs::read(&path) {
            Ok(bytes) => tile.hashes(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound && tile != whole => {
                let bytes = fs::read(&whole_path).map_err(failed("read", &path))?;
                let first = |hashes: Vec<Hash>| hashes.into_iter().zip(0..tile.width).map(|(hash, _)| hash).collect();
                whole.hashes(&bytes).map(first)
            }
            Err(error) => return Err(failed("read", &path)(error)),
        };
        hashes.ok_or(TileError::Damaged(path))
    }

    /// Writes a tile, whole or not at all for whoever reads it meanwhile. It is on disk with the next checkpoint.
    ///
    /// # Errors
    /// [`TileError`].
    pub fn write(&mut self, tile: Tile, hashes: &[Hash]) -> Result<(), TileError> {
        let path = self.folder.join(tile.to_string());
        let parent = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent).map_err(failed("make", parent))?;
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        let unfinished = self.unfinished(&bytes)?;
        fs::rename(&unfinished, &path).map_err(failed("write", &path))?;
        self.unsynced.push(path);
        Ok(())
    }

    /// Writes a file that gets its name when it is whole.
    fn unfinished(&self, bytes: &[u8]) -> Result<PathBuf, TileError> {
        let path = self.folder.join("unfinished");
        fs::write(&path, bytes).map_err(failed("write", &path))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(count: u8) -> Vec<Hash> {
        (0..count).map(|byte| Hash([byte; 32])).collect()
    }

    #[test]
    fn a_tile_is_read_as_it_was_while_it_grew() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = TileStore::to_write(folder.path()).unwrap();
        let part = Tile {
            level: 0,
            index: 1_002,
            width: 3,
        };
        store.write(part, &hashes(3)).unwrap();
        assert_eq!(store.read(part).unwrap(), hashes(3));
        assert!(folder.path().join("tile/0/x001/002.p/3").exists());

        let whole = Tile {
            width: TILE_WIDTH,
            ..part
        };
        let all: Vec<Hash> = (0..=255).map(|byte| Hash([byte; 32])).collect();
        store.write(whole, &all).unwrap();
        assert_eq!(store.read(part).unwrap(), hashes(3));
        store.set_checkpoint("a\n").unwrap();
        assert!(!folder.path().join("tile/0/x001/002.p").exists());
        assert_eq!(store.read(whole).unwrap(), all);
        assert_eq!(store.read(part).unwrap(), hashes(3));

        fs::write(folder.path().join("tile/0/x001/002"), [0; 33]).unwrap();
        assert!(matches!(store.read(whole), Err(TileError::Damaged(_))));
    }

    #[test]
    fn one_writes_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = TileStore::to_write(folder.path()).unwrap();
        let lock = File::open(folder.path().join("lock")).unwrap();
        assert!(lock.try_lock_shared().is_err(), "others wait");
        assert_eq!(store.checkpoint().unwrap(), None);
        store.set_checkpoint("a\n").unwrap();
        drop(store);
        lock.try_lock_shared().unwrap();
        let reader = TileStore::to_read(folder.path()).unwrap();
        assert_eq!(reader.checkpoint().unwrap().as_deref(), Some("a\n"));
        assert!(TileStore::to_read(folder.path()).is_ok(), "several read");
    }
}
