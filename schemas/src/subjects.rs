//! Subjects, streams and consumers on the bus, by name.

use crate::ids::{ClientName, CommandId, ServiceName};

/// Durable commands: work queue, file.
pub const COMMANDS_STREAM: &str = "CASELEDGER_COMMANDS";
/// Results of durable commands: limits, file, 7 days, the latest 200,000.
pub const RESULTS_STREAM: &str = "CASELEDGER_RESULTS";
/// Every event in position order: limits, file.
pub const EVENTS_STREAM: &str = "CASELEDGER_EVENTS";
/// Contractors' feeds: limits, file, 90 days.
pub const FEEDS_STREAM: &str = "CASELEDGER_FEEDS";
/// What could not be read or handled: limits, file, 30 days.
pub const DEADLETTERS_STREAM: &str = "CASELEDGER_DEADLETTERS";

/// Every call of every client.
pub const ALL_CALLS: &str = "caseledger.call.>";
/// Every durable command.
pub const ALL_COMMANDS: &str = "caseledger.command.>";
/// Every result.
pub const ALL_RESULTS: &str = "caseledger.result.>";
/// Every query.
pub const ALL_QUERIES: &str = "caseledger.query.>";
/// Every event.
pub const ALL_EVENTS: &str = "caseledger.event.>";
/// Every request for a replay.
pub const ALL_REPLAYS: &str = "caseledger.replay.>";
/// Every message of a contractor's feed.
pub const ALL_FEEDS: &str = "caseledger.feed.>";
/// Every dead letter.
pub const ALL_DEADLETTERS: &str = "caseledger.deadletter.>";

/// Where a client calls a command and gets its result as the reply.
#[must_use]
pub fn call(client: &ClientName, command: &str) -> String {
    format!("caseledger.call.{client}.{command}")
}

/// Where a client sends a command durably.
#[must_use]
pub fn command(client: &ClientName, command: &str) -> String {
    format!("caseledger.command.{client}.{command}")
}

/// Where the result of a durable command is published.
#[must_use]
pub fn result(client: &ClientName, command_id: CommandId) -> String {
    format!("caseledger.result.{client}.{command_id}")
}

/// Where a client asks.
#[must_use]
pub fn query(client: &ClientName, query: &str) -> String {
    format!("caseledger.query.{client}.{query}")
}

/// Where an event is published.
#[must_use]
pub fn event(service: &ServiceName, aggregate: &str, event: &str) -> String {
    format!("caseledger.event.{service}.{aggregate}.{event}")
}

/// The events of one service.
#[must_use]
pub fn events_of(service: &ServiceName) -> String {
    format!("caseledger.event.{service}.>")
}

/// Where a client asks for events from a position on.
#[must_use]
pub fn replay(client: &ClientName) -> String {
    format!("caseledger.replay.{client}")
}

/// Where a message of a contractor's feed is published.
#[must_use]
pub fn feed(client: &ClientName, message: &str) -> String {
    format!("caseledger.feed.{client}.{message}")
}

/// Where what a consumer could not handle is put.
#[must_use]
pub fn deadletter(consumer: &str) -> String {
    format!("caseledger.deadletter.{consumer}")
}

/// What a subject under `caseledger.call`, `.command` or `.query` says: who sent it, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// The sender, as the account boundary vouches.
    pub client: ClientName,
    /// The command's or query's name.
    pub name: String,
}

impl Addressed {
    /// Reads a subject of the form `caseledger.<kind>.<client>.<name>`.
    #[must_use]
    pub fn read(subject: &str) -> Option<Self> {
        let mut tokens = subject.split('.');
        let (Some("caseledger"), Some("call" | "command" | "query")) = (tokens.next(), tokens.next()) else {
            return None;
        };
        let client = ClientName::new(tokens.next()?).ok()?;
        let name = tokens.next().filter(|name| !name.is_empty())?.to_owned();
        tokens.next().is_none().then_some(Self { client, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_says_who_sent_what() {
        let client = ClientName::new("website").unwrap();
        let read = Addressed::read(&call(&client, "SubmitRequest")).unwrap();
        assert_eq!((read.client, read.name.as_str()), (client, "SubmitRequest"));
        for wrong in [
            "caseledger.event.waste.case",
            "caseledger.call.website",
            "caseledger.call.website.a.b",
            "x.call.website.a",
        ] {
            assert_eq!(Addressed::read(wrong), None);
        }
    }
}
