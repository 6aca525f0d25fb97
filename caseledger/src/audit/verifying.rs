//! Verifying the log, and what was kept of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::export::{CheckedExport, ExportCheck, Subject};
use audit::{Checkpoint, Comparison, Finding, Findings, Hash, Kind, VerifierKey, Walk};
use bus::NatsBus;
use event_store::Snapshot;
use schemas::Position;
use serde::Serialize;
use sqlx::PgPool;

use super::tile_store::TileStore;
use super::witness::{self, Witness};
use crate::outcome::Failure;

/// What the log is compared with.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The keys that are believed.
    pub trusted: Vec<VerifierKey>,
    /// Files of checkpoints.
    pub checkpoints: Vec<PathBuf>,
    /// The folder of tiles.
    pub tiles: Option<PathBuf>,
    /// An export.
    pub export: Option<PathBuf>,
}

/// A checkpoint that was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Where it was.
    pub from: String,
    /// Of how many events it is.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Whether the log, or the export, still begins with these; none where an export alone can't say.
    pub agrees: Option<bool>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Verified {
    /// How many events the log has; none where it was not looked at.
    pub events: Option<u64>,
    /// How many receipts.
    pub receipts: u64,
    /// The root over all events of the log.
    pub root: Option<Hash>,
    /// The export.
    pub export: Option<CheckedExport>,
    /// The checkpoints.
    pub checkpoints: Vec<Compared>,
    /// How many positions were compared with each keeper of copies.
    pub copies: Vec<(&'static str, u64)>,
    /// What is wrong.
    pub findings: Findings,
}

/// Evidence that was read, and is to be believed.
#[derive(Debug, Default)]
struct Believed {
    checkpoints: Vec<(String, Checkpoint)>,
    tiles: Option<(PathBuf, u64)>,
    findings: Findings,
}

impl Evidence {
    fn read(&self) -> Result<Believed, Failure> {
        let mut believed = Believed::default();
        for file in &self.checkpoints {
            let name = file.display().to_string();
            let note = std::fs::read_to_string(file).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
            believed.add(name, &note, &self.trusted);
        }
        if let Some(folder) = &self.tiles {
            self.read_tiles(folder, &mut believed)?;
        }
        Ok(believed)
    }

    fn read_tiles(&self, folder: &Path, believed: &mut Believed) -> Result<(), Failure> {
        let store = TileStore::to_read(folder).map_err(Failure::usage)?;
        // Evidence that was asked for and is not there is no evidence that all is well.
        let note = store.checkpoint().map_err(Failure::usage)?.ok_or_else(|| {
            Failure::Usage(format!(
                "there is no checkpoint in {}: make one with `caseledger audit checkpoint --tiles`",
                folder.display()
            ))
        })?;
        let Some(checkpoint) = believed.add("the tiles".to_owned(), &note, &self.trusted) else {
            return Ok(());
        };
        let root = witness::root_of_tiles(folder, checkpoint.size).map_err(Failure::usage)?;
        if root == checkpoint.root {
            believed.tiles = Some((folder.to_owned(), checkpoint.size));
        } else {
            let detail = "the tiles are not those that the checkpoint beside them was made of: they name no position";
            believed.findings.add(Finding::of(Kind::Evidence, detail));
        }
        Ok(())
    }

    fn needs_keys(&self) -> bool {
        !self.checkpoints.is_empty() || self.tiles.is_some() || self.export.is_some()
    }
}

impl Believed {
    fn add(&mut self, name: String, note: &str, trusted: &[VerifierKey]) -> Option<Checkpoint> {
        match Checkpoint::open(note, trusted) {
            Ok(checkpoint) => {
                self.checkpoints.push((name, checkpoint.clone()));
                Some(checkpoint)
            }
            Err(error) => {
                self.findings.add(Finding::of(
                    Kind::Evidence,
                    format!("the checkpoint of {name}: {error}"),
                ));
                None
            }
        }
    }

    fn all(&self) -> Vec<Checkpoint> {
        self.checkpoints
            .iter()
            .map(|(_, checkpoint)| checkpoint.clone())
            .collect()
    }
}

/// Verifies what is given: an export by itself, and the log, where there is a database, with everything that is compared with it.
///
/// # Errors
/// [`Failure::Usage`] where evidence can't be read or there is no key to believe; [`Failure::Down`] where the log can't be read. What
/// is wrong with log or evidence is in the findings.
pub async fn verify(
    evidence: &Evidence,
    log: Option<&PgPool>,
    event_stream: Option<Arc<NatsBus>>,
) -> Result<Verified, Failure> {
    if evidence.needs_keys() && evidence.trusted.is_empty() {
        return Err(Failure::Usage(format!(
            "there is no key to believe: give --public-key, or set {} or {}",
            super::PUBLIC_KEY_SETTING,
            super::KEY_SETTING
        )));
    }
    let mut believed = evidence.read()?;
    let mut verified = Verified::default();
    if let Some(file) = &evidence.export {
        let mut check = ExportCheck::new(evidence.trusted.clone(), believed.all());
        for line in witness::lines_of(file)? {
            check.line(&line?);
        }
        let mut export = check.end();
        verified.findings.extend(std::mem::take(&mut export.findings));
        if log.is_some() {
            believed.checkpoints.extend(
                export
                    .checkpoint
                    .clone()
                    .map(|checkpoint| ("the export".to_owned(), checkpoint)),
            );
        }
        verified.export = Some(export);
    }
    verified.findings.extend(std::mem::take(&mut believed.findings));
    if let Some(pool) = log {
        let mut witnesses = Vec::new();
        if let Some((folder, size)) = &believed.tiles {
            witnesses.push(witness::of_tiles(folder, *size).map_err(Failure::usage)?);
        }
        if let Some(file) = &evidence.export {
            witnesses.push(witness::of_export(file)?);
        }
        if let Some(bus) = event_stream {
            witnesses.push(witness::of_event_stream(bus).await?);
        }
        walk(pool, &believed, witnesses, &mut verified).await?;
    }
    // An export alone says nothing of what is not in it.
    let can_say = |checkpoint: &Checkpoint| match &verified.export {
        _ if log.is_some() => true,
        Some(export) => {
            let size = export.checkpoint.as_ref().map_or(0, |own| own.size);
            checkpoint.size == size || (checkpoint.size < size && export.subject == Some(Subject::Log))
        }
        None => false,
    };
    let compared = |(from, checkpoint): &(String, Checkpoint)| {
        let about_it = |finding: &Finding| {
            matches!(finding.kind, Kind::Checkpoint | Kind::CutOff)
                && finding
                    .through
                    .is_some_and(|through| u64::try_from(through.0) == Ok(checkpoint.size))
        };
        let agrees = can_say(checkpoint).then(|| !verified.findings.iter().any(about_it));
        Compared {
            from: from.clone(),
            size: checkpoint.size,
            root: checkpoint.root,
            agrees,
        }
    };
    verified.checkpoints = believed.checkpoints.iter().map(compared).collect();
    Ok(verified)
}

/// Walks through the log with everything that is compared with it.
async fn walk(
    pool: &PgPool,
    believed: &Believed,
    mut witnesses: Vec<Witness>,
    verified: &mut Verified,
) -> Result<(), Failure> {
    let mut snapshot = Snapshot::take(pool).await.map_err(Failure::down)?;
    let (mut walk, mut comparison) = (Walk::default(), Comparison::new(believed.all()));
    let mut last = Position::START;
    let mut receipt = snapshot.next_receipt().await.map_err(Failure::down)?;
    loop {
        let row = snapshot.next_row().await.map_err(Failure::down)?;
        while let Some(next) = receipt.take_if(|next| row.as_ref().is_none_or(|row| next.position < row.position)) {
            walk.receipt(&next);
            verified.receipts += 1;
            receipt = snapshot.next_receipt().await.map_err(Failure::down)?;
        }
        let Some(row) = row else { break };
        let leaf = row.hash();
        walk.row(&row);
        comparison.leaf(leaf);
        for witness in &mut witnesses {
            witness.row(&row, &leaf).await?;
        }
        last = last.max(row.position);
    }
    let heads = snapshot.heads().await.map_err(Failure::down)?;
    verified.events = Some(comparison.frontier().size());
    verified.root = Some(comparison.frontier().root());
    verified.findings.extend(walk.end(&heads));
    for witness in witnesses {
        let name = witness.name();
        let (compared, findings) = witness.end(last).await?;
        verified.copies.push((name, compared));
        verified.findings.extend(findings);
    }
    verified.findings.extend(comparison.end());
    Ok(())
}
