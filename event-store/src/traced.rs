//! Events, followed: each under the `traceparent` of the command that it came from.

use serde::Deserialize;
use traces::{Part, Span};

use crate::ledger::StoredEvent;

/// What is asked of the metadata here.
#[derive(Deserialize)]
struct Followed {
    traceparent: Option<String>,
}

/// Begins a span `<doing> <Event>` for each event whose command is followed. They last until they are dropped. Where nobody collects,
/// nothing is read.
#[must_use]
pub fn span_each(events: &[StoredEvent], doing: &str, part: Part) -> Vec<Span> {
    if !traces::are_on() {
        return Vec::new();
    }
    let begin = |event: &StoredEvent| {
        let followed: Followed = serde_json::from_str(&event.metadata).ok()?;
        let mut span = Span::begin(
            format!("{doing} {}", event.event_type),
            part,
            followed.traceparent.as_deref(),
        )?;
        span.note("caseledger.position", event.position.0);
        span.note("caseledger.service", event.service.to_string());
        Some(span)
    };
    events.iter().filter_map(begin).collect()
}
