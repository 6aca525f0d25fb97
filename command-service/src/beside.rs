//! What other copies of the service append: the streams kept in memory are brought up to it.
//!
//! Nothing rests on it. A stream that is behind loses its append and is loaded; but where two copies share all cases, nearly
//! every batch would have such a loser, and be recorded command by command.

use event_store::{LedgerError, Stretch};
use schemas::Position;
use schemas::event::EventRecord;
use tokio::sync::mpsc;

use crate::handler::Handler;

/// How many events are read at once.
const PAGE_EVENTS: usize = 500;

/// The most that are read: after more, everything kept is forgotten, and loaded as it is needed.
const EVENTS_MAX: i64 = 5_000;

/// Takes in what others appended, until the appender ends.
pub(crate) async fn follow(handler: std::sync::Weak<Handler>, mut others: mpsc::UnboundedReceiver<Stretch>) {
    while let Some(stretch) = others.recv().await {
        let Some(handler) = handler.upgrade() else { return };
        if stretch.up_to.0 - stretch.after.0 > EVENTS_MAX {
            handler.cache().clear();
        } else if let Err(error) = take_in(&handler, stretch).await {
            // What is behind loses its append, and is loaded then.
            tracing::debug!(%error, "what others appended was not read");
        }
    }
}

async fn take_in(handler: &Handler, stretch: Stretch) -> Result<(), LedgerError> {
    let mut after = stretch.after;
    while after < stretch.up_to {
        let left = usize::try_from(stretch.up_to.0 - after.0).unwrap_or(PAGE_EVENTS);
        let events = handler.ledger().feed(after, None, left.min(PAGE_EVENTS)).await?;
        let Some(last) = events.last() else { return Ok(()) };
        after = Position(last.position.0);
        for event in &events {
            let record = EventRecord::read(
                &event.aggregate_type,
                &event.event_type,
                &event.event_version,
                &event.payload,
            );
            match record {
                Ok(record) => handler.cache().advance(event.aggregate_id, event.sequence, |state| {
                    state.apply(record, event.occurred_at.into());
                }),
                // Of a newer release: whoever needs this stream is told so when it is loaded.
                Err(_) => handler.cache().forget(event.aggregate_id),
            }
        }
    }
    Ok(())
}
