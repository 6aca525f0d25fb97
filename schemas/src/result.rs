//! What a sender is told of its command.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AggregateId, CommandId, EventId, Position, Version};
use crate::problem::Problem;
use crate::reference::Reference;

/// The result of one command, as the reply to a call or as the durable result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandResult {
    /// The command's id; nil where none could be read.
    pub command_id: CommandId,
    /// How it went.
    #[serde(flatten)]
    pub status: CommandStatus,
}

/// How a command went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum CommandStatus {
    /// On disk, for ever.
    Accepted(Accepted),
    /// Refused; nothing happened.
    Rejected {
        /// Why.
        problem: Problem,
    },
    /// Not known to be recorded: repeat with the same id.
    Unavailable,
}

/// What an accepted command brought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The stream that it concerns.
    pub aggregate_id: AggregateId,
    /// The case's reference, where it is a case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The stream's version after it.
    pub version: Version,
    /// The position of its last event; with no events, of the log's head at the append.
    pub position: Position,
    /// Its events, in order; empty where nothing had to change.
    pub events: Vec<EventId>,
}

impl CommandResult {
    /// A rejected result.
    #[must_use]
    pub const fn rejected(command_id: CommandId, problem: Problem) -> Self {
        Self {
            command_id,
            status: CommandStatus::Rejected { problem },
        }
    }

    /// An unavailable result.
    #[must_use]
    pub const fn unavailable(command_id: CommandId) -> Self {
        Self {
            command_id,
            status: CommandStatus::Unavailable,
        }
    }
}
