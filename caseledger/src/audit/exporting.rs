//! Exports, and proofs that the events of a case are in the log.

use std::collections::{HashMap, HashSet};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use audit::export::{Line, Subject};
use audit::{Checkpoint, Frontier, Hash, Node, Plan, Row, SigningKey};
use event_store::Snapshot;
use schemas::{AggregateId, Reference};
use serde::Serialize;
use uuid::Uuid;

use crate::outcome::Failure;

/// What rows are proven to be under.
#[derive(Debug)]
pub enum Under {
    /// A checkpoint that there is, with its signed note.
    Given(Checkpoint, String),
    /// One that is made now, of the whole log.
    New(Box<SigningKey>),
}

impl Under {
    /// Of how many events, where that is said.
    const fn size(&self) -> Option<u64> {
        match self {
            Self::Given(checkpoint, _) => Some(checkpoint.size),
            Self::New(_) => None,
        }
    }

    /// The signed note, once the log was read that far.
    fn note(self, tree: &Frontier) -> Result<(Checkpoint, String), Failure> {
        let (size, root) = (tree.size(), tree.root());
        match self {
            Self::Given(checkpoint, note) if (checkpoint.size, checkpoint.root) == (size, root) => {
                Ok((checkpoint, note))
            }
            Self::Given(checkpoint, _) => Err(Failure::Usage(format!(
                "the log is not the one of this checkpoint of {} events: run `caseledger audit verify --checkpoint` with it",
                checkpoint.size
            ))),
            Self::New(key) => {
                let checkpoint = Checkpoint {
                    origin: key.verifier().name().clone(),
                    size,
                    root,
                };
                let note = checkpoint.signed(&key);
                Ok((checkpoint, note))
            }
        }
    }
}

/// Writes lines to a file that is there only when it is whole. What is in it is sealed, and still nobody else's business.
struct Output {
    lines: BufWriter<tempfile::NamedTempFile>,
}

impl Output {
    fn to(path: &Path) -> Result<Self, Failure> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder);
        let file = file.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        Ok(Self {
            lines: BufWriter::new(file),
        })
    }

    fn line(&mut self, line: &Line) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.lines, line).map_err(Failure::down)?;
        self.lines.write_all(b"\n").map_err(Failure::down)
    }

    fn finish(self, path: &Path) -> Result<(), Failure> {
        let file = self.lines.into_inner().map_err(Failure::down)?;
        file.as_file().sync_all().map_err(Failure::down)?;
        file.persist(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        Ok(())
    }
}

/// Exports the log, up to the checkpoint that it is under.
///
/// # Errors
/// [`Failure`]: there is no file then.
pub async fn log(snapshot: &mut Snapshot, under: Under, path: &Path) -> Result<Checkpoint, Failure> {
    let mut output = Output::to(path)?;
    output.line(&Line::header(Subject::Log))?;
    let mut tree = Frontier::default();
    while under.size().is_none_or(|size| tree.size() < size) {
        let Some(row) = snapshot.next_row().await.map_err(Failure::down)? else {
            break;
        };
        tree.push(row.hash(), |_, _| {});
        output.line(&Line::event(row, None))?;
    }
    let (checkpoint, note) = under.note(&tree)?;
    output.line(&Line::checkpoint(note))?;
    output.finish(path)?;
    Ok(checkpoint)
}

/// An event with what proves it.
#[derive(Clone, Debug, Serialize)]
pub struct ProvenEvent {
    /// The row.
    pub row: Row,
    /// Its leaf.
    pub leaf_hash: Hash,
    /// From the leaf to the root.
    pub proof: Vec<Hash>,
}

/// The events of a case, proven.
#[derive(Clone, Debug)]
pub struct ProvenCase {
    /// Its reference, where it was asked for by that.
    pub reference: Option<Reference>,
    /// Its stream.
    pub aggregate_id: AggregateId,
    /// Its events, by sequence; those after the checkpoint are left out.
    pub events: Vec<ProvenEvent>,
    /// How many were left out.
    pub later: usize,
    /// What they are under.
    pub checkpoint: Checkpoint,
    /// The same, as a signed note.
    pub note: String,
}

/// Proves the events of a case, by its reference, or of any stream, by its id; none where there is no such.
///
/// # Errors
/// [`Failure`].
pub async fn case(snapshot: &mut Snapshot, asked: &str, under: Under) -> Result<Option<ProvenCase>, Failure> {
    let (reference, id) = match asked.parse::<Uuid>() {
        Ok(id) => (None, Some(AggregateId(id))),
        Err(_) => {
            let reference: Reference = asked.parse().map_err(Failure::usage)?;
            let id = snapshot.case_of(&reference).await.map_err(Failure::down)?;
            (Some(reference), id)
        }
    };
    let Some(aggregate_id) = id else { return Ok(None) };
    let rows = snapshot.stream(aggregate_id).await.map_err(Failure::down)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let size = match under.size() {
        Some(size) => size,
        None => {
            let heads = snapshot.heads().await.map_err(Failure::down)?;
            heads
                .first()
                .and_then(|head| u64::try_from(head.position.0).ok())
                .unwrap_or(0)
        }
    };
    let all = rows.len();
    let planned = rows.into_iter().filter_map(|row| {
        let index = u64::try_from(row.position.0 - 1).ok()?;
        Some((Plan::of_inclusion(index, size)?, row))
    });
    let planned: Vec<(Plan, Row)> = planned.collect();
    let (tree, known) = nodes(
        snapshot,
        size,
        planned.iter().flat_map(|(plan, _)| plan.nodes()).collect(),
    )
    .await?;
    let (checkpoint, note) = under.note(&tree)?;
    let proven = planned.into_iter().map(|(plan, row)| {
        let proof = plan.fill(|node| known.get(&node).copied());
        let incomplete = || Failure::Down("the log has holes: run `caseledger audit verify`".to_owned());
        Ok(ProvenEvent {
            leaf_hash: row.hash(),
            proof: proof.ok_or_else(incomplete)?,
            row,
        })
    });
    let events = proven.collect::<Result<Vec<_>, Failure>>()?;
    let later = all - events.len();
    Ok(Some(ProvenCase {
        reference,
        aggregate_id,
        events,
        later,
        checkpoint,
        note,
    }))
}

/// Reads the log and keeps, of all nodes of its tree, those that are wanted.
async fn nodes(
    snapshot: &mut Snapshot,
    size: u64,
    wanted: HashSet<Node>,
) -> Result<(Frontier, HashMap<Node, Hash>), Failure> {
    let (mut tree, mut known) = (Frontier::default(), HashMap::with_capacity(wanted.len()));
    while tree.size() < size {
        let Some(row) = snapshot.next_row().await.map_err(Failure::down)? else {
            break;
        };
        tree.push(row.hash(), |node, hash| {
            if wanted.contains(&node) {
                known.insert(node, *hash);
            }
        });
    }
    Ok((tree, known))
}

impl ProvenCase {
    /// Writes it as an export.
    ///
    /// # Errors
    /// [`Failure`]: there is no file then.
    pub fn write(self, path: &Path) -> Result<(), Failure> {
        let mut output = Output::to(path)?;
        output.line(&Line::header(Subject::Case {
            reference: self.reference.map(|reference| reference.to_string()),
            aggregate_id: self.aggregate_id.to_string(),
        }))?;
        for event in self.events {
            output.line(&Line::event(event.row, Some(event.proof)))?;
        }
        output.line(&Line::checkpoint(self.note))?;
        output.finish(path)
    }
}
