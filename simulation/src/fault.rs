//! The faults that a run may have.

/// What can go wrong, each at its own kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The log does not answer a question.
    ReadUnanswered,
    /// An append does not reach the log: nothing was recorded, and the caller is told so.
    AppendUnsent,
    /// An append is rolled back, and the caller does not hear what became of it.
    AppendForgotten,
    /// An append is committed, and its answer is lost.
    AppendUnanswered,
    /// The caller has given up waiting when the append is committed.
    AppendLate,
    /// A commit takes seconds; all others wait behind it.
    CommitSlow,
    /// Word of a grown log does not come.
    NewsUntold,
    /// The rows of the vault can't be read.
    VaultUnanswered,
    /// A question about a lease is not answered; it may have been done.
    LeaseUnanswered,
    /// A call or query does not arrive.
    RequestLost,
    /// A call or query is held up on its way: it may arrive when its sender has asked again, perhaps another service.
    RequestLate,
    /// An answer does not arrive.
    ReplyLost,
    /// A durable command is held, and its sender does not hear so.
    CommandUnacknowledged,
    /// A durable command is lost after its sender was told that it is held.
    CommandLost,
    /// A durable command is delivered twice.
    DeliveryDoubled,
    /// The acknowledgement of a durable command is lost.
    AckLost,
    /// A result, or a dead letter, is held, and its publisher does not hear so.
    StoreUnacknowledged,
    /// A result, or a dead letter, does not arrive.
    StoreLost,
    /// An event does not reach its stream.
    EventLost,
    /// The stream holds an event, and the relay does not hear so.
    EventUnacknowledged,
    /// The end of the event stream can't be read.
    StreamUnanswered,
    /// A follower is not told of an event.
    LiveWithheld,
    /// A follower is told of an event twice.
    LiveDoubled,
    /// A follower is told of an event late, after others.
    LiveLate,
    /// A consumer can't apply events for a moment.
    ConsumerFails,
    /// A consumer has applied events, and does not hear so.
    ConsumerUnsure,
    /// A process is killed and started again.
    Crash,
    /// A process stands still for a while: longer, at times, than its leases last.
    Pause,
    /// A process loses its line to the bus for a moment, and what was on it.
    Disconnect,
    /// The log answers nobody for some seconds.
    LogAway,
    /// The event stream is gone, and made anew, empty.
    EventsWiped,
    /// The event stream is as it was a while ago.
    EventsRolledBack,
    /// The event stream loses an event from its middle.
    EventLostInside,
    /// The stream of durable commands is gone, and made anew: it counts from 1 again.
    CommandsWiped,
    /// A person is erased.
    Erasure,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 35] = [
        Self::ReadUnanswered,
        Self::AppendUnsent,
        Self::AppendForgotten,
        Self::AppendUnanswered,
        Self::AppendLate,
        Self::CommitSlow,
        Self::NewsUntold,
        Self::VaultUnanswered,
        Self::LeaseUnanswered,
        Self::RequestLost,
        Self::RequestLate,
        Self::ReplyLost,
        Self::CommandUnacknowledged,
        Self::CommandLost,
        Self::DeliveryDoubled,
        Self::AckLost,
        Self::StoreUnacknowledged,
        Self::StoreLost,
        Self::EventLost,
        Self::EventUnacknowledged,
        Self::StreamUnanswered,
        Self::LiveWithheld,
        Self::LiveDoubled,
        Self::LiveLate,
        Self::ConsumerFails,
        Self::ConsumerUnsure,
        Self::Crash,
        Self::Pause,
        Self::Disconnect,
        Self::LogAway,
        Self::EventsWiped,
        Self::EventsRolledBack,
        Self::EventLostInside,
        Self::CommandsWiped,
        Self::Erasure,
    ];
}
