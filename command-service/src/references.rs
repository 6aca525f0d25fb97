//! Reference numbers, taken from the database in blocks: one round trip for many cases. What is left of a block when the
//! process ends is a gap, and gaps are fine.

use std::sync::Arc;

use event_store::{Ledger, LedgerError};
use schemas::Reference;
use schemas::reference::ReferenceError;
use tokio::sync::Mutex;

/// How many numbers one round trip brings.
pub const BLOCK_NUMBERS: usize = 64;

/// Where new cases get their references.
pub struct References {
    ledger: Arc<dyn Ledger>,
    numbers: Mutex<Vec<i64>>,
}

/// Why there is no reference.
#[derive(Debug, thiserror::Error)]
pub enum NoReference {
    /// The database gave no number.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The number makes no reference.
    #[error(transparent)]
    Form(#[from] ReferenceError),
    /// The database answered without a number.
    #[error("the sequence of reference numbers gave none: check the migrations")]
    None,
}

impl References {
    /// References from this ledger's sequence.
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self {
            ledger,
            numbers: Mutex::new(Vec::new()),
        }
    }

    /// The next reference with this service's prefix.
    ///
    /// # Errors
    /// [`NoReference`].
    pub async fn next(&self, prefix: &str) -> Result<Reference, NoReference> {
        let mut numbers = self.numbers.lock().await;
        if numbers.is_empty() {
            *numbers = self.ledger.reference_numbers(BLOCK_NUMBERS).await?;
            numbers.reverse();
        }
        let number = numbers.pop().ok_or(NoReference::None)?;
        Ok(Reference::of_number(prefix, number)?)
    }
}
