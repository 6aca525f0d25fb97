//! Waking up when something was appended.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;
use sqlx::postgres::PgListener;

use crate::error::{LedgerError, Reason};
use crate::ledger::HeadNews;
use crate::postgres::LONGEST_WAIT;

/// What `ledger.append` notifies after its commit; the payload is the new head's position.
const CHANNEL: &str = "caseledger_head";

/// Listens for appends. A notification may be lost with the connection.
#[derive(Debug)]
pub(crate) struct HeadListener {
    listener: PgListener,
}

impl HeadListener {
    /// Listens over a connection of this pool, which it keeps. From here on no append goes unnoticed while the connection lasts.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`]: back off and try again.
    pub(crate) async fn connect(pool: &PgPool) -> Result<Self, LedgerError> {
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
}

#[async_trait]
impl HeadNews for HeadListener {
    /// Where the connection was lost and made again something may have been missed: that is told as news.
    async fn changed(&mut self, at_most: Duration) -> Result<(), LedgerError> {
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
