//! What was kept elsewhere, and whether the log still agrees with it.

use crate::checkpoint::Checkpoint;
use crate::finding::{Finding, Findings, Kind};
use crate::tree::{Frontier, Hash};
use schemas::Position;

/// Compares a log with checkpoints while it is walked: the root over its first N leaves with that of the checkpoint of size N.
#[derive(Debug)]
pub struct Comparison {
    frontier: Frontier,
    /// The smallest last.
    ahead: Vec<Checkpoint>,
    /// Up to where the log is known to agree with a checkpoint.
    agreed: u64,
    findings: Findings,
}

/// A log's position of so many leaves.
fn position(size: u64) -> Position {
    Position(i64::try_from(size).unwrap_or(i64::MAX))
}

impl Comparison {
    /// With these checkpoints, whose signatures are good.
    #[must_use]
    pub fn new(mut checkpoints: Vec<Checkpoint>) -> Self {
        checkpoints.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.size));
        let mut comparison = Self {
            frontier: Frontier::default(),
            ahead: checkpoints,
            agreed: 0,
            findings: Findings::default(),
        };
        comparison.look();
        comparison
    }

    /// The tree so far.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The next leaf, by its hash.
    pub fn leaf(&mut self, leaf: Hash) {
        self.frontier.push(leaf, |_, _| {});
        self.look();
    }

    fn look(&mut self) {
        let size = self.frontier.size();
        while let Some(checkpoint) = self.ahead.pop_if(|checkpoint| checkpoint.size == size) {
            if self.frontier.root() == checkpoint.root {
                self.agreed = size;
            } else {
                let detail = format!(
                    "the root over the first {size} events is {}, the checkpoint has {}: at least one of these was altered, \
                     deleted or inserted",
                    self.frontier.root(),
                    checkpoint.root
                );
                self.findings.add(Finding::between(
                    Kind::Checkpoint,
                    position(self.agreed + 1),
                    position(size),
                    detail,
                ));
            }
        }
    }

    /// Nothing more comes: what was found.
    #[must_use]
    pub fn end(mut self) -> Findings {
        let size = self.frontier.size();
        while let Some(checkpoint) = self.ahead.pop() {
            let detail = format!(
                "the log has {size} events, a checkpoint was signed of {}",
                checkpoint.size
            );
            self.findings.add(Finding::between(
                Kind::CutOff,
                position(size + 1),
                position(checkpoint.size),
                detail,
            ));
        }
        self.findings
    }
}
