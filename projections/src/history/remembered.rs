//! The cases that changed last, as the rows have them: they need not be read back for their next event.

use std::num::NonZeroUsize;

use lru::LruCache;
use schemas::{CaseId, EventId};

use crate::checkpoint::Checkpoint;
use crate::history::Case;
use crate::projection::Generation;

/// The most cases that are remembered; each takes a few kilobytes.
const MOST_CASES: NonZeroUsize = NonZeroUsize::new(8192).unwrap();

/// Cases as one generation has them after one event of the log.
///
/// Rows follow from the events before the checkpoint alone. So what is remembered of a generation after an event holds
/// whenever its checkpoint is at that event, whoever wrote the rows; and where a batch was not committed, or another runner
/// came between, the checkpoint is at another event.
#[derive(Debug)]
pub(super) struct Remembered {
    after: Option<(Generation, EventId)>,
    cases: LruCache<CaseId, Case>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            after: None,
            cases: LruCache::new(MOST_CASES),
        }
    }
}

impl Remembered {
    /// Forgets everything, unless it holds at this checkpoint.
    pub(super) fn must_stand_at(&mut self, checkpoint: &Checkpoint) {
        let at = checkpoint.last.map(|last| (checkpoint.generation, last.event_id));
        if self.after.take() != at {
            self.cases.clear();
        }
    }

    /// Says after which event the cases stand as they are now.
    pub(super) fn stands_after(&mut self, generation: Generation, event: EventId) {
        self.after = Some((generation, event));
    }

    pub(super) fn contains(&self, case: CaseId) -> bool {
        self.cases.contains(&case)
    }

    pub(super) fn take(&mut self, case: CaseId) -> Option<Case> {
        self.cases.pop(&case)
    }

    pub(super) fn keep(&mut self, case: Case) {
        self.cases.put(case.id, case);
    }
}
