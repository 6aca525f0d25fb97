//! Waking up when something was appended.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;

use crate::error::{LedgerError, Reason};
use crate::postgres::LONGEST_WAIT;

/// What `ledger.append` notifies after its commit; the payload is the new head's position.
const CHANNEL: &str = "caseledger_head";

/// Listens for appends. A notification is only a wake-up: several may arrive as one, and one may be lost with the
/// connection, so whoever listens also looks by itself from time to time.
#[derive(Debug)]
pub struct HeadListener {
    listener: PgListener,
}

impl HeadListener {
    /// Listens over a connection of this pool, which it keeps. From here on no append goes unnoticed while the connection lasts.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`]: back off and try again.
    pub async fn connect(pool: &PgPool) -> Result<Self, LedgerError> {
        let connecting = async {
            let mut listener = PgListener::connect_with(pool).await?;
            listener.listen(CHANNEL).await?;
            Ok(Self { listener })
        };
        match tokio::time::timeout(LONGEST_WAIT, connecting).await {
            Ok(connected) => connected.map_err(|error| LedgerError::of_read(&error)),
            Err(_) => Err(LedgerError::Unavailable(Reason::new("no answer in time"))),
        }
    }

    /// Returns when something was appended since the last call, when the connection was lost and made again (then it may
    /// have missed something), or after `at_most`. May be dropped at any moment.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`]: the database is away. Back off and call again.
    pub async fn changed(&mut self, at_most: Duration) -> Result<(), LedgerError> {
        match tokio::time::timeout(at_most, self.listener.try_recv()).await {
            Ok(Err(error)) => return Err(LedgerError::of_read(&error)),
            Err(_) => return Ok(()),
            Ok(Ok(_)) => {}
        }
        // What came with it is the same news.
        while self.listener.next_buffered().is_some() {}
        Ok(())
    }
}
