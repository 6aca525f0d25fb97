//! `caseledger bus parked | replay | drop`: the dead letters.
//!
//! The first result of a durable command stands for ever, also where it was that the service failed on it. So what is sent again
//! is another command: its id follows from the letter, that of the first stands as its cause. Sent twice it acts once.

use std::time::{Duration, Instant};

use bus::{Parked, Steward};
use schemas::envelope::CommandEnvelope;
use schemas::result::{CommandResult, CommandStatus};
use schemas::subjects::Addressed;
use schemas::{ClientName, CommandId};
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;
use vault::{KeyEncryptionKey, Vault};

use super::operator;
use crate::outcome::Failure;
use crate::print;
use crate::settings::{Reader, environment};

/// How long the result of one command is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Lists them, the oldest first.
pub async fn list(json: bool) -> Result<(), Failure> {
    let steward = steward().await?;
    let (mut next, mut rows) = (1, Vec::new());
    while let Some(parked) = steward.next_parked(next).await.map_err(Failure::down)? {
        let since = parked.at.format(&Rfc3339).map_err(Failure::down)?;
        let Parked {
            sequence,
            consumer,
            letter,
            ..
        } = parked;
        if json {
            print::json(&json!({
                "number": sequence, "since": since, "consumer": consumer, "subject": letter.subject, "reason": letter.reason,
                "digest": letter.digest, "sealed": letter.sealed_body.is_some(),
            }));
        } else {
            rows.push(vec![
                sequence.to_string(),
                since,
                consumer,
                letter.subject,
                letter.reason,
            ]);
        }
        next = sequence + 1;
    }
    if json {
        return Ok(());
    }
    if rows.is_empty() {
        print::line("there are no dead letters");
    } else {
        print::table(&["number", "since", "consumer", "came on", "why"], rows);
    }
    Ok(())
}

/// Drops these.
pub async fn drop_settled(numbers: &[u64]) -> Result<(), Failure> {
    let steward = steward().await?;
    for number in numbers {
        let parked = find(&steward, *number).await?;
        steward.drop_parked(parked.sequence).await.map_err(Failure::down)?;
        print::line(format!("{number}: dropped"));
    }
    Ok(())
}

/// Sends these again, or all that there are. The answer is no where one of them is not accepted. What is accepted is dropped, and
/// so is what was put aside again, as that is another letter.
pub async fn replay(numbers: &[u64], all: bool, json: bool) -> Result<(), Failure> {
    let mut reader = Reader::new(&environment);
    let file = reader.file(
        "CASELEDGER_KEY_FILE",
        "the key-encryption key, which the letters are sealed under",
    );
    let key = KeyEncryptionKey::load(&reader.finish(file)?).map_err(Failure::usage)?;
    // Letters are sealed under the key file itself: the database is not asked.
    let vault = Vault::new(operator::pool()?, key.into(), vault::Settings::default(), Instant::now);
    let steward = steward().await?;
    let mut waiting = Vec::new();
    if all {
        // Those that there are now: what is put aside again meanwhile waits for the next time.
        let mut next = 1;
        while let Some(parked) = steward.next_parked(next).await.map_err(Failure::down)? {
            next = parked.sequence + 1;
            waiting.push(parked.sequence);
        }
    } else {
        waiting.extend(numbers);
    }
    let mut every_one = true;
    for number in waiting {
        let parked = find(&steward, number).await?;
        every_one &= again(&steward, &vault, &parked, json).await?;
    }
    if every_one { Ok(()) } else { Err(Failure::No) }
}

/// Sends one again, waits for its result and says it. Whether it was accepted.
async fn again(steward: &Steward, vault: &Vault, parked: &Parked, json: bool) -> Result<bool, Failure> {
    let number = parked.sequence;
    let command = match opened(vault, parked) {
        Ok(command) => command,
        Err(why) => {
            say(json, number, None, "not_sent", &why);
            return Ok(false);
        }
    };
    let (client, id) = (&command.client, command.envelope.id);
    let body = command.envelope.write().map_err(Failure::down)?;
    let digest = bus::digest(body.as_bytes());
    steward
        .send_again(client, &command.envelope.name, body.into())
        .await
        .map_err(Failure::down)?;
    let result = result(steward, client, id).await?;
    match result.status {
        CommandStatus::Accepted(accepted) => {
            steward.drop_parked(number).await.map_err(Failure::down)?;
            let of = accepted
                .reference
                .map_or_else(|| accepted.aggregate_id.to_string(), |of| of.to_string());
            say(
                json,
                number,
                Some(id),
                "accepted",
                &format!("{of}, position {}", accepted.position),
            );
            Ok(true)
        }
        CommandStatus::Rejected { problem } => {
            let mut why = format!("{}: {}", problem.code(), problem.detail);
            // One letter is enough for one command. It was put there before the result was told.
            if let Some(anew) = parked_anew(steward, number, &digest).await? {
                steward.drop_parked(number).await.map_err(Failure::down)?;
                why.push_str(&format!("; put aside again as {anew}"));
            }
            say(json, number, Some(id), "rejected", &why);
            Ok(false)
        }
        CommandStatus::Unavailable => {
            say(
                json,
                number,
                Some(id),
                "unavailable",
                "not known to be recorded: replay it again",
            );
            Ok(false)
        }
    }
}

/// The number of the letter that a command was put into which was sent again; `None` where it was in none.
async fn parked_anew(steward: &Steward, before: u64, digest: &str) -> Result<Option<u64>, Failure> {
    let mut next = before + 1;
    while let Some(parked) = steward.next_parked(next).await.map_err(Failure::down)? {
        if parked.letter.digest == digest {
            return Ok(Some(parked.sequence));
        }
        next = parked.sequence + 1;
    }
    Ok(None)
}

fn say(json: bool, number: u64, id: Option<CommandId>, status: &str, what: &str) {
    if json {
        print::json(&json!({ "number": number, "command_id": id, "status": status, "what": what }));
    } else {
        let sent_as = id.map(|id| format!(" as {id}")).unwrap_or_default();
        print::line(format!("{number}: {status}{sent_as} ({what})"));
    }
}

/// A command that was in a letter, ready to be sent again.
struct Again {
    client: ClientName,
    envelope: CommandEnvelope,
}

/// Opens a letter; the error says why there is no command in it that could be sent.
fn opened(vault: &Vault, parked: &Parked) -> Result<Again, String> {
    let letter = &parked.letter;
    let addressed = Addressed::read(&letter.subject).ok_or("its subject names no client and command")?;
    let sealed = letter.sealed_body.as_deref().ok_or("its body was not kept")?;
    let body = vault.open_letter(sealed).map_err(|error| error.to_string())?;
    let envelope = CommandEnvelope::read(|_| None, &body)
        .map_err(|unreadable| format!("it can't be read as a command: {}", unreadable.problem.detail))?;
    Ok(Again {
        client: addressed.client,
        envelope: next(envelope, parked),
    })
}

/// The same command under another id: a UUIDv5 whose namespace is the first command's id, and its name
/// `caseledger.replay/<digest>/<number>`.
fn next(first: CommandEnvelope, parked: &Parked) -> CommandEnvelope {
    let name = format!("caseledger.replay/{}/{}", parked.letter.digest, parked.sequence);
    CommandEnvelope {
        id: CommandId(Uuid::new_v5(&first.id.0, name.as_bytes())),
        correlation_id: Some(first.correlation_id.clone().unwrap_or_else(|| first.id.to_string())),
        causation_id: Some(first.id.to_string()),
        ..first
    }
}

async fn result(steward: &Steward, client: &ClientName, id: CommandId) -> Result<CommandResult, Failure> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(body) = steward.result_of(client, id).await.map_err(Failure::down)? {
            return serde_json::from_slice(&body).map_err(Failure::down);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Failure::Down(format!(
        "there is no result of {id} after {} seconds: does a command-service run?",
        PATIENCE.as_secs()
    )))
}

async fn find(steward: &Steward, number: u64) -> Result<Parked, Failure> {
    let found = steward.next_parked(number).await.map_err(Failure::down)?;
    found.filter(|parked| parked.sequence == number).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no dead letter {number}: `caseledger bus parked` lists them"
        ))
    })
}

async fn steward() -> Result<Steward, Failure> {
    let (nats, passwords) = operator::nats()?;
    operator::steward(&nats, &passwords).await
}
