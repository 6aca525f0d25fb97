//! Stored events, in whatever order.
//!
//! Each line is an event: how many minutes after the one before it, its type, its payload. Held, whatever the bytes:
//!
//! - An event that was read is written and read again as the same. One with a personal value that is open is read, and never written.
//! - A stream folds in any order, an impossible one too: folding says nothing of what may follow what. The same events give the same
//!   state, and an event of another kind of stream changes nothing.
//! - A state is written and read again as the same.

#![no_main]

use domain::AggregateState;
use libfuzzer_sys::{Corpus, fuzz_target};
use schemas::event::{CaseEvent, CustomerEvent, EventRecord, RoundEvent};
use schemas::moment::Instant;
use time::{Duration, OffsetDateTime};

/// How `Debug` prints a personal value that is open.
const OPEN: &str = "[personal]";

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Corpus::Reject;
    };
    let mut at = OffsetDateTime::UNIX_EPOCH + Duration::days(365 * 56);
    let mut events = Vec::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ' ');
        let (Some(minutes), Some(event_type), Some(payload)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        at += Duration::minutes(minutes.parse::<i16>().unwrap_or_default().into());
        if let Ok(event) = EventRecord::read(aggregate_of(event_type), event_type, "1", payload) {
            match event.payload() {
                Ok(written) => {
                    let again = EventRecord::read(aggregate_of(event_type), event_type, "1", &written);
                    assert!(
                        again.as_ref().is_ok_and(|again| *again == event),
                        "{written} reads as {again:?}"
                    );
                }
                Err(error) => assert!(format!("{event:?}").contains(OPEN), "{error}: {payload}"),
            }
            events.push((event, Instant::new(at)));
        }
    }
    if events.is_empty() {
        return Corpus::Reject;
    }
    let state = fold(&events);
    assert!(fold(&events) == state, "the same events folded to another state");
    let written = serde_json::to_string(&state).expect("a state is written");
    let again: AggregateState = serde_json::from_str(&written).expect("a state that was written is read");
    assert!(again == state, "{written} reads as another state");
    Corpus::Keep
});

fn fold(events: &[(EventRecord, Instant)]) -> AggregateState {
    let mut state = AggregateState::before(&events[0].0);
    for (event, at) in events {
        let is_own = AggregateState::before(event).kind() == state.kind();
        let before = (!is_own).then(|| state.clone());
        state.apply(event.clone(), *at);
        assert!(
            before.is_none_or(|before| before == state),
            "another kind's event changed the state"
        );
        let _ = state.latest();
    }
    state
}

fn aggregate_of(event_type: &str) -> &'static str {
    if CustomerEvent::NAMES.contains(&event_type) {
        CustomerEvent::AGGREGATE
    } else if RoundEvent::NAMES.contains(&event_type) {
        RoundEvent::AGGREGATE
    } else {
        CaseEvent::AGGREGATE
    }
}
