//! The event stream.

use std::collections::BTreeMap;

use bus::{EventMessage, StreamEnd, StreamedEvent};
use bytes::Bytes;
use schemas::Position;
use time::OffsetDateTime;

/// What JetStream holds of the events.
#[derive(Default)]
pub(super) struct EventStream {
    /// Whether there is no stream.
    gone: bool,
    last: u64,
    held: BTreeMap<u64, StreamedEvent>,
    /// The position of the event that has, or had before it went, the last sequence.
    last_position: Position,
}

/// What became of an event that arrived.
pub(super) enum Stored {
    /// It has this sequence.
    As(u64),
    /// The stream ends elsewhere.
    Elsewhere,
    /// There is no stream.
    NoStream,
}

impl EventStream {
    pub(super) fn gone() -> Self {
        Self {
            gone: true,
            ..Self::default()
        }
    }

    pub(super) const fn make(&mut self) {
        self.gone = false;
    }

    pub(super) const fn is_gone(&self) -> bool {
        self.gone
    }

    pub(super) fn messages(&self) -> Vec<(u64, EventMessage)> {
        let message = |(sequence, held): (&u64, &StreamedEvent)| {
            let message = EventMessage {
                subject: held.subject.clone(),
                body: held.body.clone(),
            };
            (*sequence, message)
        };
        self.held.iter().map(message).collect()
    }

    pub(super) fn store(&mut self, subject: String, body: Bytes, position: Position, expected: u64) -> Stored {
        if self.gone {
            return Stored::NoStream;
        }
        if self.last != expected {
            return Stored::Elsewhere;
        }
        self.last += 1;
        let event = StreamedEvent {
            sequence: self.last,
            position,
            subject,
            body,
        };
        self.held.insert(self.last, event);
        self.last_position = position;
        Stored::As(self.last)
    }

    /// The positions that may come next: the one behind the last, and of a stream that is found empty the first.
    pub(super) fn next_positions(&self) -> [Position; 2] {
        let next = self.last_position.next();
        [next, if self.held.is_empty() { Position(1) } else { next }]
    }

    pub(super) fn end(&self) -> StreamEnd {
        StreamEnd {
            sequence: self.last,
            messages: u64::try_from(self.held.len()).unwrap_or(u64::MAX),
            last: self.held.get(&self.last).cloned(),
        }
    }

    pub(super) fn at(&self, sequence: u64) -> Option<StreamedEvent> {
        self.held.get(&sequence).cloned()
    }

    /// Empties it; the next event has a sequence that it never had.
    pub(super) fn purge(&mut self, now: OffsetDateTime) -> u64 {
        self.last = bus::emptied_until(now, self.last) - 1;
        let held = std::mem::take(&mut self.held).len();
        u64::try_from(held).unwrap_or(u64::MAX)
    }

    pub(super) fn roll_back(&mut self, by: u64) {
        for _ in 0..by {
            if let Some((sequence, event)) = self.held.pop_last() {
                self.last = sequence - 1;
                self.last_position = Position(event.position.0 - 1);
            }
        }
    }

    pub(super) fn lose(&mut self, nth: u64) {
        let nth = usize::try_from(nth).unwrap_or(usize::MAX);
        if let Some(sequence) = self.held.keys().copied().nth(nth) {
            self.held.remove(&sequence);
        }
    }
}
