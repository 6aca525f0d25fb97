//! Exports: rows of the log, whole, with what proves them, for whoever has no database.
//!
//! JSON lines. The first says what it is of, then comes a line for each event, and last the signed checkpoint that all of them are
//! under. An export of the log has every event up to the checkpoint's size, which is its proof; one of a case has the proof of
//! inclusion beside each event.

use std::collections::BTreeSet;

use schemas::{Position, Version};
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::evidence::Comparison;
use crate::finding::{Finding, Findings, Kind};
use crate::note::VerifierKey;
use crate::proof::includes;
use crate::row::Row;
use crate::tree::Hash;
use crate::walk::Walk;

/// The version of the form.
pub const EXPORT_VERSION: u32 = 1;

/// What an export is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// The whole log, up to the checkpoint's size.
    Log,
    /// One case, or another stream.
    Case {
        /// Its reference, where it is a case.
        reference: Option<String>,
        /// Its stream.
        aggregate_id: String,
    },
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`EXPORT_VERSION`].
    pub version: u32,
    /// What it is of.
    #[serde(flatten)]
    pub subject: Subject,
}

/// A line. One of `export`, `event` and `checkpoint` is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Header>,
    /// An event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Row>,
    /// Of an event of a case: its proof of inclusion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Vec<Hash>>,
    /// The last line: the signed note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

impl Line {
    /// The first line of an export of this.
    #[must_use]
    pub fn header(subject: Subject) -> Self {
        let header = Header {
            version: EXPORT_VERSION,
            subject,
        };
        Self {
            export: Some(header),
            ..Self::default()
        }
    }

    /// The line of an event, with its proof in an export of a case.
    #[must_use]
    pub fn event(row: Row, proof: Option<Vec<Hash>>) -> Self {
        Self {
            event: Some(row),
            proof,
            ..Self::default()
        }
    }

    /// The last line.
    #[must_use]
    pub fn checkpoint(note: String) -> Self {
        Self {
            checkpoint: Some(note),
            ..Self::default()
        }
    }
}

/// Reads an export and says whether it is what was signed.
#[derive(Debug)]
pub struct ExportCheck {
    trusted: Vec<VerifierKey>,
    lines: u64,
    subject: Option<Subject>,
    walk: Walk,
    comparison: Comparison,
    case: OneCase,
    checkpoint: Option<Checkpoint>,
    /// Sizes of the checkpoints that it is compared with beside its own.
    others: Vec<Checkpoint>,
    findings: Findings,
}

/// What is remembered of an export of a case.
#[derive(Debug, Default)]
struct OneCase {
    version: Version,
    last: Position,
    leaves: Vec<(Position, Hash, Vec<Hash>)>,
    references: BTreeSet<String>,
}

/// What became of it.
#[derive(Debug)]
pub struct CheckedExport {
    /// What it is of; none where it does not say.
    pub subject: Option<Subject>,
    /// The checkpoint that it is under; none where there is none to be believed.
    pub checkpoint: Option<Checkpoint>,
    /// How many events it has.
    pub events: u64,
    /// What is wrong with it.
    pub findings: Findings,
}

impl ExportCheck {
    /// Believes these keys, and compares with these checkpoints beside the export's own.
    #[must_use]
    pub fn new(trusted: Vec<VerifierKey>, others: Vec<Checkpoint>) -> Self {
        Self {
            trusted,
            lines: 0,
            subject: None,
            walk: Walk::of_rows_alone(),
            comparison: Comparison::new(others.clone()),
            case: OneCase::default(),
            checkpoint: None,
            others,
            findings: Findings::default(),
        }
    }

    fn wrong(&mut self, detail: impl Into<String>) {
        self.findings.add(Finding::of(Kind::Evidence, detail));
    }

    /// The next line; gives its row, where it has one.
    pub fn line(&mut self, text: &str) -> Option<Row> {
        self.lines += 1;
        let number = self.lines;
        let Ok(line) = serde_json::from_str::<Line>(text) else {
            self.wrong(format!("line {number} of the export has not the form of one"));
            return None;
        };
        if self.checkpoint.is_some() {
            self.wrong(format!("line {number} of the export comes after its checkpoint"));
        }
        match line {
            Line {
                export: Some(header),
                event: None,
                proof: None,
                checkpoint: None,
            } if number == 1 => {
                if header.version != EXPORT_VERSION {
                    self.wrong(format!(
                        "the export has version {}, which this release can't read",
                        header.version
                    ));
                }
                self.subject = Some(header.subject);
                None
            }
            Line {
                export: None,
                event: Some(row),
                proof,
                checkpoint: None,
            } => {
                self.event(&row, proof);
                Some(row)
            }
            Line {
                export: None,
                event: None,
                proof: None,
                checkpoint: Some(note),
            } => {
                match Checkpoint::open(&note, &self.trusted) {
                    Ok(checkpoint) => self.checkpoint = Some(checkpoint),
                    Err(error) => self.wrong(format!("the export's checkpoint: {error}")),
                }
                None
            }
            _ => {
                self.wrong(format!("line {number} of the export has not the form of one"));
                None
            }
        }
    }

    fn event(&mut self, row: &Row, proof: Option<Vec<Hash>>) {
        let hash = row.hash();
        match &self.subject {
            Some(Subject::Log) => {
                self.walk.row(row);
                self.comparison.leaf(hash);
            }
            Some(Subject::Case { aggregate_id, .. }) => {
                let OneCase { version, last, .. } = self.case;
                let wrong = if row.aggregate_id != *aggregate_id {
                    Some("it is of another stream than the export says")
                } else if row.sequence.0 != version.0 + 1 {
                    Some("the event before it in its stream is not in the export")
                } else if row.position <= last {
                    Some("it does not come after the event before it")
                } else {
                    None
                };
                if let Some(wrong) = wrong {
                    self.findings.add(Finding::at(Kind::Evidence, row.position, wrong));
                }
                (self.case.version, self.case.last) = (row.sequence, row.position);
                self.case.references.extend(reference_in(&row.payload));
                self.case.leaves.push((row.position, hash, proof.unwrap_or_default()));
            }
            None => {}
        }
    }

    /// Nothing more comes: what it is, and what is wrong with it.
    #[must_use]
    pub fn end(mut self) -> CheckedExport {
        let log = self.comparison.frontier().clone();
        match (self.subject.clone(), self.checkpoint.clone()) {
            (None, _) => self.wrong("it does not begin as an export does"),
            (_, None) => self.wrong("it ends without a checkpoint to be believed: nothing in it is proven"),
            (Some(Subject::Log), Some(checkpoint)) => {
                if log.size() != checkpoint.size {
                    let (has, said) = (log.size(), checkpoint.size);
                    self.wrong(format!("it has {has} events, and its checkpoint is of {said}"));
                } else if log.root() != checkpoint.root {
                    self.wrong(
                        "the root over its events is not that of its checkpoint: at least one of them was altered",
                    );
                }
            }
            (Some(Subject::Case { reference, .. }), Some(checkpoint)) => {
                self.end_case(reference.as_deref(), &checkpoint)
            }
        }
        let events = if matches!(self.subject, Some(Subject::Log)) {
            log.size()
        } else {
            self.case.leaves.len() as u64
        };
        let mut findings = self.findings;
        if matches!(self.subject, Some(Subject::Log)) {
            findings.extend(self.walk.end_of_rows());
            // What a later checkpoint has more is no fault of the export.
            let covered = |finding: &&Finding| finding.kind != Kind::CutOff;
            self.comparison
                .end()
                .iter()
                .filter(covered)
                .for_each(|finding| findings.add(finding.clone()));
        }
        CheckedExport {
            subject: self.subject,
            checkpoint: self.checkpoint,
            events,
            findings,
        }
    }

    fn end_case(&mut self, reference: Option<&str>, checkpoint: &Checkpoint) {
        if self.case.leaves.is_empty() {
            self.wrong("it has no events");
        }
        if let Some(reference) = reference.filter(|reference| !self.case.references.contains(*reference)) {
            self.wrong(format!("none of its events says that the case is {reference}"));
        }
        for (position, hash, proof) in std::mem::take(&mut self.case.leaves) {
            let index = u64::try_from(position.0 - 1).ok();
            if !index.is_some_and(|index| includes(&checkpoint.root, checkpoint.size, index, &hash, &proof)) {
                let detail = "its proof does not lead to the checkpoint: it was altered, or never in the log";
                self.findings.add(Finding::at(Kind::Evidence, position, detail));
            }
            self.case.leaves.push((position, hash, proof));
        }
        for other in &self.others {
            if other.size == checkpoint.size && other.root != checkpoint.root {
                let detail = format!(
                    "the export's checkpoint and one that was given are both of {} events and differ",
                    other.size
                );
                self.findings.add(Finding::of(Kind::Checkpoint, detail));
            }
        }
    }
}

/// The reference that an event gives its case.
fn reference_in(payload: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Opened {
        reference: Option<String>,
    }
    serde_json::from_str::<Opened>(payload).ok()?.reference
}
