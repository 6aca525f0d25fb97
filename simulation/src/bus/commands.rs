//! The stream of durable commands and its one consumer.

use std::collections::BTreeMap;

use bus::limits::COMMANDS_ACK_WAIT;
use bus::{AckToken, Delivery, Generation, Headers};
use bytes::Bytes;
use tokio::time::Instant;

/// A work queue: what is acknowledged goes.
#[derive(Default)]
pub(super) struct CommandStream {
    last: u64,
    held: BTreeMap<u64, Held>,
    generation: Option<Generation>,
    /// Which consumer it is: each time the commands are taken there is another.
    consumer: u64,
}

struct Held {
    subject: String,
    headers: Headers,
    body: Bytes,
    delivered: u64,
    out_until: Option<Instant>,
}

impl CommandStream {
    pub(super) fn store(&mut self, subject: String, headers: Headers, body: Bytes) -> u64 {
        self.last += 1;
        let command = Held {
            subject,
            headers,
            body,
            delivered: 0,
            out_until: None,
        };
        self.held.insert(self.last, command);
        self.last
    }

    /// Loses a command that it said it holds.
    pub(super) fn lose(&mut self, sequence: u64) {
        self.held.remove(&sequence);
    }

    pub(super) fn wipe(&mut self) {
        // The numbers of consumers go on, so that none is taken for another.
        *self = Self {
            consumer: self.consumer + 1,
            ..Self::default()
        };
    }

    /// Makes a consumer for this generation, in the place of every earlier one; none where a later generation has one.
    pub(super) fn take(&mut self, generation: Generation) -> Option<u64> {
        if self.generation.is_some_and(|taken| taken > generation) {
            return None;
        }
        self.generation = Some(generation);
        self.consumer += 1;
        for command in self.held.values_mut() {
            (command.delivered, command.out_until) = (0, None);
        }
        Some(self.consumer)
    }

    /// Whether this is the consumer still.
    pub(super) const fn is_taken_by(&self, consumer: u64) -> bool {
        self.consumer == consumer
    }

    /// What is to be delivered now: first what was not acknowledged in time, then what is new; in the order sent.
    pub(super) fn next(&mut self) -> Option<Delivery> {
        let now = Instant::now();
        let late = |command: &Held| command.out_until.is_some_and(|until| until <= now);
        let fresh = |command: &Held| command.out_until.is_none();
        let found = |which: &dyn Fn(&Held) -> bool| {
            let mut found = self.held.iter().filter(|(_, command)| which(command));
            found.next().map(|(sequence, _)| *sequence)
        };
        let sequence = found(&late).or_else(|| found(&fresh))?;
        let consumer = self.consumer;
        let command = self.held.get_mut(&sequence)?;
        command.delivered += 1;
        command.out_until = Some(now + COMMANDS_ACK_WAIT);
        Some(Delivery {
            subject: command.subject.clone(),
            headers: command.headers.clone(),
            body: command.body.clone(),
            stream_sequence: sequence,
            delivered_count: command.delivered,
            ack: AckToken::new(format!("{consumer} {sequence}")),
        })
    }

    /// When the next one will not have been acknowledged in time.
    pub(super) fn next_late(&self) -> Option<Instant> {
        self.held.values().filter_map(|command| command.out_until).min()
    }

    /// Has a command delivered again at once, as a consumer does that lost count.
    pub(super) fn forget_delivery(&mut self, sequence: u64) {
        if let Some(command) = self.held.get_mut(&sequence) {
            command.out_until = Some(Instant::now());
        }
    }

    /// An acknowledgement; of a consumer that is gone it does nothing.
    pub(super) fn ack(&mut self, token: &AckToken) {
        let mut numbers = token.as_str().split(' ').filter_map(|number| number.parse().ok());
        if let (Some(consumer), Some(sequence)) = (numbers.next(), numbers.next())
            && self.is_taken_by(consumer)
        {
            self.held.remove(&sequence);
        }
    }
}
