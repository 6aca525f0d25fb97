//! `caseledger send`.

use std::io::Read;
use std::time::Duration;

use bus::{BusClient, Outgoing};
use schemas::result::{CommandResult, CommandStatus};
use schemas::{AggregateId, ClientName, CommandId};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::cli::Send;
use crate::outcome::Failure;
use crate::passwords;
use crate::print;
use crate::settings::{CLIENT_PASSWORDS, Reader, environment};

/// How long a command is repeated before the call gives up. What was sent may still be accepted: the id is printed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection as a client whose password this machine has.
pub async fn connect(client: &ClientName) -> Result<BusClient, Failure> {
    let mut reader = Reader::new(&environment);
    let nats = reader.nats();
    let file = reader.file(CLIENT_PASSWORDS.0, CLIENT_PASSWORDS.1);
    let (nats, file) = reader.finish((nats, file))?;
    let password = passwords::of_client(&file, client)?;
    BusClient::connect(nats, client, &password).await.map_err(Failure::down)
}

/// Sends one command and prints its result.
pub async fn run(call: &Send, json: bool) -> Result<(), Failure> {
    let client = ClientName::new(call.client.as_str()).map_err(Failure::usage)?;
    if call.command.is_empty() || !call.command.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Failure::Usage(format!("{:?} is no name of a command", call.command)));
    }
    let data = read_data()?;
    let bus = connect(&client).await?;
    let command = Outgoing::new(
        CommandId(call.id.unwrap_or_else(Uuid::now_v7)),
        call.command.clone(),
        call.subject.map(AggregateId),
        OffsetDateTime::now_utc().into(),
        data,
    );
    let sending = async {
        if call.durable {
            bus.send(&command).await
        } else if call.again {
            bus.call_again_until_known(&command).await
        } else {
            bus.call_until_known(&command).await
        }
    };
    let result = match tokio::time::timeout(PATIENCE, sending).await {
        Ok(sent) => sent.map_err(|error| match error {
            error @ bus::BusError::TooLarge { .. } => Failure::usage(error),
            error => Failure::down(error),
        })?,
        Err(_) => CommandResult::unavailable(command.id),
    };
    if json {
        print::json(&result)
    } else {
        show(&result)
    }
    match result.status {
        CommandStatus::Accepted(_) => Ok(()),
        CommandStatus::Rejected { .. } => Err(Failure::No),
        CommandStatus::Unavailable => {
            let (id, how) = (command.id, if call.durable { "--durable" } else { "--again" });
            Err(Failure::Down(format!(
                "not known to be recorded: send the same data again with --id {id} {how}"
            )))
        }
    }
}

/// The data on standard input: one JSON text.
fn read_data() -> Result<String, Failure> {
    let mut text = String::new();
    let unreadable =
        |error: &dyn std::fmt::Display| Failure::Usage(format!("the data on standard input is no JSON: {error}"));
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| unreadable(&error))?;
    let data: Box<RawValue> = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    Ok(data.get().to_owned())
}

fn show(result: &CommandResult) {
    match &result.status {
        CommandStatus::Accepted(accepted) => {
            let events: Vec<String> = accepted.events.iter().map(ToString::to_string).collect();
            let events = if events.is_empty() {
                "none: nothing had to change".to_owned()
            } else {
                events.join("\n               ")
            };
            print::pairs([
                ("accepted", result.command_id.to_string()),
                ("aggregate", accepted.aggregate_id.to_string()),
                (
                    "reference",
                    accepted
                        .reference
                        .as_ref()
                        .map_or_else(|| "–".to_owned(), ToString::to_string),
                ),
                ("version", accepted.version.to_string()),
                ("position", accepted.position.to_string()),
                ("events", events),
            ]);
        }
        CommandStatus::Rejected { problem } => {
            print::pairs([
                ("rejected", result.command_id.to_string()),
                ("why", problem.title.clone()),
            ]);
            print::table(
                &["field", "code", "what to do"],
                problem
                    .errors
                    .iter()
                    .map(|error| vec![error.pointer.clone(), error.code.clone(), error.message.clone()]),
            );
        }
        CommandStatus::Unavailable => print::pairs([("unavailable", result.command_id.to_string())]),
    }
}
