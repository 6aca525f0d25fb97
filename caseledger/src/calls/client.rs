//! `caseledger client`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bus::clients::{self, ClientRegister, Edited, Rights};
use bus::{BusClient, BusError, NatsAddress, Password, accounts};
use schemas::{ClientName, CommandId};
use serde_json::json;
use uuid::Uuid;

use super::operator;
use crate::cli::{Client as Call, ClientAdd};
use crate::outcome::Failure;
use crate::passwords;
use crate::print;
use crate::servers::random_hex;
use crate::settings::{CLIENT_PASSWORDS, Reader, environment};

/// How long the call waits for nats-server to take the new accounts, where somebody reloads it.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(20);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The files that a change of clients touches.
struct Files {
    register: PathBuf,
    accounts: PathBuf,
    passwords: Option<PathBuf>,
}

impl Files {
    fn read() -> Result<Self, Failure> {
        let mut reader = Reader::new(&environment);
        let files = Self {
            register: reader.file("CASELEDGER_CLIENTS_FILE", "the client register"),
            accounts: reader.file(
                "CASELEDGER_ACCOUNTS_FILE",
                "the accounts file that nats-server includes",
            ),
            passwords: reader.optional(CLIENT_PASSWORDS.0).map(PathBuf::from),
        };
        Ok(reader.finish(files)?)
    }

    /// Writes the accounts first: a client that is in the register and not in the accounts can't connect, which shows; the other
    /// way round it could connect and would be refused everything.
    async fn put_in_force(&self, edited: &Edited) -> Result<(), Failure> {
        let (nats, passwords) = operator::nats()?;
        let conf = accounts::render(&edited.register, &passwords).map_err(Failure::down)?;
        ClientRegister::write(&self.accounts, &conf).map_err(Failure::usage)?;
        ClientRegister::write(&self.register, &edited.text).map_err(Failure::usage)?;
        let steward = operator::steward(&nats, &passwords).await?;
        let begun = Instant::now();
        loop {
            match steward.ensure_consumers(&edited.register).await {
                // Somebody who watches the accounts may be reloading nats-server: JetStream is not there for a moment.
                Err(error) if error.is_transient() && begun.elapsed() < IN_FORCE_WITHIN => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                made => return made.map_err(Failure::down),
            }
        }
    }
}

/// Lets a client in, shuts one out, lists them, or writes the accounts file anew.
pub async fn run(call: &Call, json: bool) -> Result<(), Failure> {
    match call {
        Call::List => list(json),
        Call::Add(add) => let_in(add, json).await,
        Call::Revoke { name } => shut_out(name, json).await,
        Call::Accounts => write_accounts(),
    }
}

/// Writes the accounts file from the register and the services' passwords as they are.
fn write_accounts() -> Result<(), Failure> {
    let files = Files::read()?;
    let register = ClientRegister::load(&files.register).map_err(Failure::usage)?;
    let (_, passwords) = operator::nats()?;
    let conf = accounts::render(&register, &passwords).map_err(Failure::down)?;
    ClientRegister::write(&files.accounts, &conf).map_err(Failure::usage)?;
    print::line(format!(
        "{} is written anew: reload nats-server twice, and restart the services whose passwords changed",
        files.accounts.display()
    ));
    Ok(())
}

fn list(json: bool) -> Result<(), Failure> {
    let mut reader = Reader::new(&environment);
    let file = reader.file("CASELEDGER_CLIENTS_FILE", "the client register");
    let register = ClientRegister::load(&reader.finish(file)?).map_err(Failure::usage)?;
    let actors = |client: &clients::Client| client.actors.iter().map(|kind| kind.as_str()).collect::<Vec<_>>();
    if json {
        for client in register.iter() {
            print::json(&json!({
                "name": client.name, "commands": client.commands_in_words(), "services": client.services.to_string(),
                "reads": client.reads.to_string(), "actors": actors(client), "teams": client.teams.to_string(),
                "feed_key": client.feed_key.map(|key| key.to_string()),
            }));
        }
        return Ok(());
    }
    print::table(
        &[
            "client",
            "sends",
            "speaks to",
            "reads",
            "speaks for",
            "officers of",
            "feed",
        ],
        register.iter().map(|client| {
            vec![
                client.name.to_string(),
                client.commands_in_words(),
                client.services.to_string(),
                client.reads.to_string(),
                actors(client).join(", "),
                client.teams.to_string(),
                if client.has_feed() { "yes" } else { "" }.to_owned(),
            ]
        }),
    );
    Ok(())
}

async fn let_in(add: &ClientAdd, json: bool) -> Result<(), Failure> {
    let files = Files::read()?;
    let name = ClientName::new(add.name.as_str()).map_err(Failure::usage)?;
    let password = Password::new(random_hex());
    let rights = Rights {
        commands: add.commands.clone(),
        services: add.services.clone(),
        reads: add.reads.clone(),
        actors: add.actors.clone(),
        teams: add.teams.clone(),
        may_leave_decider_unrecorded: add.may_leave_decider_unrecorded,
        feed_key: add.feed_key,
    };
    let text = std::fs::read_to_string(&files.register).unwrap_or_default();
    let edited = clients::add(&text, &name, &password, &rights).map_err(Failure::usage)?;
    files.put_in_force(&edited).await?;
    if let Some(passwords) = &files.passwords {
        let kept = std::fs::read_to_string(passwords).unwrap_or_default();
        let line = format!("{name} = \"{}\"\n", password.reveal());
        ClientRegister::write(passwords, &(kept + &line)).map_err(Failure::usage)?;
    }
    let (nats, _) = operator::nats()?;
    let standing = standing_after(&nats, &name, &password, Standing::Served).await?;
    if json {
        let in_force = standing == Standing::Served;
        print::json(&json!({ "user": name, "password": password.reveal(), "in_force": in_force }));
    } else {
        print::pairs([("user", name.to_string()), ("password", password.reveal().to_owned())]);
        match standing {
            Standing::Served => print::line("In force."),
            Standing::LetIn => print::line(format!(
                "nats-server lets {name} in, but nobody answers it: start the command-service; where it runs, reload \
                 nats-server once more, which gives an account that is new to it its services only then"
            )),
            Standing::ShutOut => not_in_force(&files),
        }
    }
    Ok(())
}

async fn shut_out(name: &str, json: bool) -> Result<(), Failure> {
    let files = Files::read()?;
    let name = ClientName::new(name).map_err(Failure::usage)?;
    let text = std::fs::read_to_string(&files.register).map_err(Failure::usage)?;
    let edited = clients::revoke(&text, &name).map_err(|error| match error {
        error @ clients::ClientFileError::Unknown(_) => {
            print::aside(error.to_string());
            Failure::No
        }
        error => Failure::usage(error),
    })?;
    // Where this machine has its password, the call can see that it no longer opens anything.
    let password = files
        .passwords
        .as_deref()
        .and_then(|file| passwords::of_client(file, &name).ok());
    files.put_in_force(&edited).await?;
    if let Some(passwords) = &files.passwords {
        let kept = std::fs::read_to_string(passwords).unwrap_or_default();
        let others = kept
            .lines()
            .filter(|line| line.split('=').next().map(str::trim) != Some(name.as_str()));
        ClientRegister::write(passwords, &others.map(|line| format!("{line}\n")).collect::<String>())
            .map_err(Failure::usage)?;
    }
    let (nats, _) = operator::nats()?;
    let in_force = match &password {
        Some(password) => standing_after(&nats, &name, password, Standing::ShutOut).await? == Standing::ShutOut,
        None => false,
    };
    if json {
        print::json(&json!({ "user": name, "in_force": in_force }));
    } else {
        print::line(format!("{name} is shut out"));
        if in_force {
            print::line("In force.");
        } else {
            not_in_force(&files);
        }
    }
    Ok(())
}

fn not_in_force(files: &Files) {
    let accounts = files.accounts.display();
    print::line(format!(
        "{accounts} is written. Reload nats-server to put it in force: nats-server --signal reload (twice, where a client is new)"
    ));
}

/// How a client stands with what is in force at nats-server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It may not connect.
    ShutOut,
    /// It may connect, and nobody answers it.
    LetIn,
    /// It is answered.
    Served,
}

/// How the client stands once nats-server has taken the change; or at the end of the patience, if it has not.
async fn standing_after(
    nats: &NatsAddress,
    name: &ClientName,
    password: &Password,
    wanted: Standing,
) -> Result<Standing, Failure> {
    let begun = Instant::now();
    loop {
        let standing = standing(nats, name, password).await?;
        if standing == wanted || begun.elapsed() > IN_FORCE_WITHIN {
            return Ok(standing);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn standing(nats: &NatsAddress, name: &ClientName, password: &Password) -> Result<Standing, Failure> {
    match BusClient::connect(nats, name, password).await {
        Ok(client) => Ok(match client.result(CommandId(Uuid::new_v4())).await {
            Ok(_) => Standing::Served,
            Err(_) => Standing::LetIn,
        }),
        Err(BusError::Refused { .. }) => Ok(Standing::ShutOut),
        Err(error) => Err(Failure::down(error)),
    }
}
