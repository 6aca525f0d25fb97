//! Commands as tests send them, and what comes of them.

use schemas::Problem;
use schemas::result::{Accepted, CommandResult, CommandStatus};
use serde_json::{Value, json};

use super::repository;

/// What was accepted.
///
/// # Panics
/// If it was not.
pub fn accepted(result: CommandResult) -> Accepted {
    match result.status {
        CommandStatus::Accepted(accepted) => accepted,
        other => panic!("not accepted: {other:?}"),
    }
}

/// Why a command was rejected.
///
/// # Panics
/// If it was not.
pub fn rejected(result: CommandResult) -> Problem {
    match result.status {
        CommandStatus::Rejected { problem } => problem,
        other => panic!("not rejected: {other:?}"),
    }
}

/// The data of the contract's example for a command, with these members put in.
///
/// # Panics
/// If there is no such example.
pub fn example(command: &str, put_in: Value) -> Value {
    let file = repository().join(format!("schemas/examples/commands/{command}.v1.json"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut data: Value = serde_json::from_str(&text).unwrap();
    data.as_object_mut()
        .unwrap()
        .extend(put_in.as_object().unwrap().clone());
    data
}

/// An anonymous report of something that the council itself sees to: it is no contractor's job.
pub fn obstruction(description: &str) -> Value {
    json!({
        "request_type": "obstruction",
        "description": description,
        "actor": { "kind": "resident", "assurance": "none" },
        "channel": "online",
    })
}
