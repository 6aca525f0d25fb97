//! The log a page at a time, the next page on its way while one is worked on.

use std::fmt;
use std::sync::Arc;

use schemas::Position;
use tokio::task::JoinSet;

use crate::error::{LedgerError, Reason};
use crate::ledger::{Ledger, StoredEvent};

/// Reads the log in order.
///
/// Shape: a full page says that there is more, so that the next one is asked for at once, by a task of its own; after any other
/// nothing is read until it is asked for. Bounds: one page ahead. What is read ahead is as true as what is read now, since what is
/// recorded stays; it may only end earlier than the log does by the time that it is asked for.
pub struct Pages {
    ledger: Arc<dyn Ledger>,
    size: usize,
    ahead: Option<Ahead>,
}

/// A page that is being read; dropped, it is read no further.
struct Ahead {
    after: Position,
    reading: JoinSet<Result<Vec<StoredEvent>, LedgerError>>,
}

impl Pages {
    /// Pages of so many events at most.
    #[must_use]
    pub const fn new(ledger: Arc<dyn Ledger>, size: usize) -> Self {
        Self {
            ledger,
            size,
            ahead: None,
        }
    }

    /// What the log has after a position. Empty where it had nothing when this was called, or since.
    ///
    /// # Errors
    /// Those of [`Ledger::feed`].
    pub async fn after(&mut self, position: Position) -> Result<Vec<StoredEvent>, LedgerError> {
        let mut page = match self.ahead.take() {
            Some(ahead) if ahead.after == position => ahead.page().await?,
            _ => Vec::new(),
        };
        if page.is_empty() {
            // Nothing was read ahead, or there was nothing then; by now there may be.
            page = self.ledger.feed(position, None, self.size).await?;
        }
        if page.len() >= self.size
            && let Some(last) = page.last()
        {
            self.ahead = Some(Ahead::begin(Arc::clone(&self.ledger), last.position, self.size));
        }
        Ok(page)
    }
}

impl Ahead {
    fn begin(ledger: Arc<dyn Ledger>, after: Position, size: usize) -> Self {
        let mut reading = JoinSet::new();
        reading.spawn(async move { ledger.feed(after, None, size).await });
        Self { after, reading }
    }

    async fn page(mut self) -> Result<Vec<StoredEvent>, LedgerError> {
        let ended = || LedgerError::Unavailable(Reason::new("what read ahead has ended"));
        let page = self.reading.join_next().await.ok_or_else(ended)?;
        page.map_err(|_| ended())?
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
