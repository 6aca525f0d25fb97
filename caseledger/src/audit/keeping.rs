//! Making checkpoints.

use std::path::Path;
use std::time::Duration;

use audit::{Checkpoint, CheckpointError, Finding, Kind, SigningKey, Tile, TileWriter, VerifierKey};
use event_store::{LedgerError, Snapshot};
use schemas::Position;
use sqlx::PgPool;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::tile_store::{TileError, TileStore};
use crate::outcome::Failure;

/// Why there is no checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The log is not the one that the last checkpoint was made of: nothing is signed.
    #[error("nothing was signed: {0}; run `caseledger audit verify`")]
    Differs(Finding),
    /// The last checkpoint in the folder is not to be believed.
    #[error("the checkpoint in the folder of tiles: {0}; nothing was signed")]
    Checkpoint(CheckpointError),
    /// The tiles are not those that the checkpoint beside them was made of.
    #[error(
        "the tiles are not those of the checkpoint beside them: keep `checkpoint`, remove the folder `tile`, and try again"
    )]
    Tiles,
    /// The folder.
    #[error(transparent)]
    Store(#[from] TileError),
    /// The process ends.
    #[error("the process is ending: nothing was signed")]
    Ended,
    /// The log can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl KeepError {
    /// Whether the same may work later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Ledger(error) if error.is_transient())
    }
}

/// A checkpoint that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: String,
    /// How many events are new since the last one in the folder.
    pub added: u64,
}

/// A log's position of so many leaves.
fn position(size: u64) -> Position {
    Position(i64::try_from(size).unwrap_or(i64::MAX))
}

/// Reads the log and signs what it is. With a folder of tiles only what is new is read, and the tiles are brought up to it; the checkpoint
/// that is there has to be of this key, or of one that is trusted.
///
/// # Errors
/// [`KeepError`]: nothing was signed.
pub async fn keep(
    pool: &PgPool,
    key: &SigningKey,
    trusted: &[VerifierKey],
    tiles: Option<&Path>,
) -> Result<Kept, KeepError> {
    let Some(folder) = tiles else {
        let mut snapshot = Snapshot::take(pool).await?;
        let mut tree = TileWriter::default();
        while let Some(row) = snapshot.next_row().await? {
            tree.push(row.hash(), |_, _| Ok::<_, KeepError>(()))?;
        }
        let added = tree.frontier().size();
        return Ok(signed(&tree, key, added));
    };
    let folder = folder.to_owned();
    let opening = tokio::task::spawn_blocking(move || TileStore::to_write(&folder));
    let mut store = opening.await.map_err(|_| KeepError::Ended)??;
    // Not before the folder is ours: another may have brought it further than the log was until then.
    let mut snapshot = Snapshot::take(pool).await?;
    let note = store.checkpoint()?;
    let trusted = [trusted, &[key.verifier().clone()]].concat();
    let last = note.as_ref().map(|note| Checkpoint::open(note, &trusted)).transpose();
    let last = last.map_err(KeepError::Checkpoint)?;
    let mut tree = begin(&store, &mut snapshot, last.as_ref()).await?;
    let before = last.as_ref().map_or(0, |last| last.size);
    while let Some(row) = snapshot.next_row().await? {
        tree.push(row.hash(), |tile, hashes| store.write(tile, hashes))?;
        // Where tiles were missing, the log has to lead to the checkpoint again.
        if let Some(last) = last.as_ref().filter(|last| last.size == tree.frontier().size()) {
            agrees(last, &tree)?;
        }
    }
    if tree.frontier().size() < before {
        let (size, from) = (tree.frontier().size(), position(tree.frontier().size() + 1));
        let detail = format!("the log has {size} events, the last checkpoint was of {before}");
        return Err(KeepError::Differs(Finding::between(
            Kind::CutOff,
            from,
            position(before),
            detail,
        )));
    }
    tree.partial()
        .try_for_each(|(tile, hashes)| store.write(tile, hashes))?;
    if let Some((checkpoint, note)) = last.zip(note).filter(|(last, _)| last.size == tree.frontier().size()) {
        return Ok(Kept {
            checkpoint,
            note,
            added: 0,
        });
    }
    let kept = signed(&tree, key, tree.frontier().size() - before);
    store.set_checkpoint(&kept.note)?;
    Ok(kept)
}

/// Makes a checkpoint, and another after each interval, until `stop`. Where nothing is new, the last one stays. A log or a folder that is
/// away for a while is waited for.
///
/// # Errors
/// [`Failure`]: somebody has to look.
pub async fn keep_on(
    pool: &PgPool,
    key: &SigningKey,
    trusted: &[VerifierKey],
    tiles: &Path,
    interval: Duration,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let mut due = tokio::time::interval(interval);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = due.tick() => {}
        }
        match keep(pool, key, trusted, Some(tiles)).await {
            Ok(Kept { added: 0, .. }) => {}
            Ok(kept) => {
                let Checkpoint { size, root, .. } = kept.checkpoint;
                tracing::info!(size, %root, added = kept.added, "a checkpoint was made");
            }
            Err(error) if error.is_passing() => tracing::warn!(%error, "the checkpoint waits"),
            Err(error) => {
                tracing::error!(%error, "there is no checkpoint");
                return Err(match error {
                    KeepError::Differs(_) => Failure::No,
                    error => Failure::down(error),
                });
            }
        }
    }
}

/// The tree of the last checkpoint, and the snapshot at what comes after it; from the beginning where there are no tiles.
async fn begin(store: &TileStore, snapshot: &mut Snapshot, last: Option<&Checkpoint>) -> Result<TileWriter, KeepError> {
    let Some(last) = last else {
        return Ok(TileWriter::default());
    };
    let tree = match TileWriter::take_on(last.size, |tile| store.read(tile)) {
        Ok(tree) => tree,
        Err(TileError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return Ok(TileWriter::default());
        }
        Err(error) => return Err(error.into()),
    };
    if tree.frontier().root() != last.root {
        return Err(KeepError::Tiles);
    }
    // The last event of before is looked at again: a log that was rolled back and went on has another in its place.
    let Some(index) = last.size.checked_sub(1) else {
        return Ok(tree);
    };
    let tile = Tile {
        level: 0,
        index: index / audit::TILE_WIDTH,
        width: index % audit::TILE_WIDTH + 1,
    };
    let leaf = store.read(tile)?.pop();
    snapshot.read_after(position(index)).await?;
    let found = match snapshot.next_row().await? {
        Some(row) if row.position == position(last.size) && Some(row.hash()) == leaf => return Ok(tree),
        Some(_) => (
            Kind::Altered,
            "it is another event than when the last checkpoint was made",
        ),
        None => (Kind::CutOff, "the log ends before the last checkpoint"),
    };
    Err(KeepError::Differs(Finding::at(found.0, position(last.size), found.1)))
}

fn agrees(last: &Checkpoint, tree: &TileWriter) -> Result<(), KeepError> {
    if tree.frontier().root() == last.root {
        return Ok(());
    }
    let detail = format!(
        "the root over the first {} events is not that of the last checkpoint",
        last.size
    );
    Err(KeepError::Differs(Finding::between(
        Kind::Checkpoint,
        Position(1),
        position(last.size),
        detail,
    )))
}

fn signed(tree: &TileWriter, key: &SigningKey, added: u64) -> Kept {
    let checkpoint = Checkpoint {
        origin: key.verifier().name().clone(),
        size: tree.frontier().size(),
        root: tree.frontier().root(),
    };
    let note = checkpoint.signed(key);
    Kept {
        checkpoint,
        note,
        added,
    }
}
