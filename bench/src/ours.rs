//! Caseledger itself: a council with its database and its bus, the command-service in this process, the others as processes of
//! their own, as they are deployed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::{Bus, Headers, NatsBus, Request};
use caseledger::{database, registers};
use command_service::officers::OfficerRegister;
use command_service::{CommandService, Machine, Parts, Registers};
use event_store::{Leases, PgLedger};
use futures::{StreamExt, TryStreamExt};
use schemas::result::{CommandResult, CommandStatus};
use schemas::{AggregateId, ClientName, CommandId};
use serde_json::json;
use sqlx::PgPool;
use system_tests::{Council, Process, TestPostgres};
use uuid::Uuid;
use vault::{KeyEncryptionKey, Vault};

use crate::load::Command;
use crate::work::{CASES, PRIOR_EVENTS, case_id, description};

/// The client in whose name commands come.
const CLIENT: &str = "website";

/// How many of the first cases are brought at once.
const SEEDED_AT_ONCE: usize = 256;

/// How long the followers of the log may take to catch up.
const PATIENCE: Duration = Duration::from_secs(600);

/// A council to be measured.
pub struct Ours {
    /// Its database, bus and clients.
    pub council: Council,
    service: CommandService,
    bus: Arc<NatsBus>,
    owner: PgPool,
    followers: Vec<Process>,
}

impl Ours {
    /// Sets a council up, and brings its cases: each a submission and four updates, through the command-service.
    ///
    /// # Errors
    /// A sentence on what failed.
    pub async fn set_up(postgres: &Arc<TestPostgres>) -> Result<Self, String> {
        let council = Council::on(postgres.database().await).await;
        let bus = NatsBus::connect(&council.nats.url(), &council.service_passwords).await;
        let bus = Arc::new(bus.map_err(|error| error.to_string())?);
        let service = command_service(&council, Arc::clone(&bus))?;
        let owner = council.owner().await;
        let ours = Self {
            council,
            service,
            bus,
            owner,
            followers: Vec::new(),
        };
        ours.seed().await?;
        Ok(ours)
    }

    async fn seed(&self) -> Result<(), String> {
        let bring = |case: usize| async move {
            accepted(self.service.call(&submission(case)).await)?;
            for _ in 1..PRIOR_EVENTS {
                accepted(self.service.call(&update(case)).await)?;
            }
            Ok::<_, String>(())
        };
        futures::stream::iter((0..CASES).map(bring))
            .buffer_unordered(SEEDED_AT_ONCE)
            .try_collect::<()>()
            .await?;
        let vacuum = sqlx::raw_sql("VACUUM ANALYZE ledger.events, ledger.commands").execute(&self.owner);
        vacuum.await.map(drop).map_err(|error| error.to_string())
    }

    /// Starts what follows the log, and waits until it has caught up.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn follow(&mut self, services: &[&str]) -> Result<(), String> {
        self.followers = services.iter().map(|service| self.council.serve(service)).collect();
        self.caught_up().await
    }

    /// Waits until the event stream and every projection that runs stand at the end of the log.
    ///
    /// # Errors
    /// Where they do not within ten minutes.
    pub async fn caught_up(&self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let (head, behind): (i64, i64) = sqlx::query_as(
                "SELECT head.position, least(history.position, reporting.position)
                 FROM ledger.head, history.checkpoints AS history, reporting.checkpoints AS reporting",
            )
            .fetch_one(&self.owner)
            .await
            .map_err(|error| error.to_string())?;
            // Nobody has emptied this stream: its sequences are the log's positions.
            let published = self.bus.last_event().await.map_err(|error| error.to_string())?.sequence;
            if behind == head && i64::try_from(published) == Ok(head) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err("what follows the log did not catch up".to_owned())
    }

    /// What handles one command in this process.
    #[must_use]
    pub fn command(&self) -> Command {
        let service = self.service.clone();
        Arc::new(move |case| {
            let service = service.clone();
            Box::pin(async move { accepted(service.call(&update(case)).await).map(|()| 0) })
        })
    }
}

fn command_service(council: &Council, bus: Arc<NatsBus>) -> Result<CommandService, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let pool = database::pool(council.database_url("command-service"), "bench").map_err(|error| text(&error))?;
    let key = KeyEncryptionKey::load(&council.path("key")).map_err(|error| text(&error))?;
    let key = Arc::new(key);
    let officers = std::fs::read_to_string(council.path("officers.toml")).map_err(|error| text(&error))?;
    Ok(CommandService::new(Parts {
        leases: Leases::new(pool.clone(), Uuid::new_v4()),
        ledger: Arc::new(PgLedger::new(pool.clone())),
        fingerprinter: key.fingerprinter().map_err(|error| text(&error))?,
        vault: Arc::new(Vault::new(pool, key, vault::Settings::default(), Instant::now)),
        registers: Registers {
            clients: Arc::new(council.register.clone()),
            officers: Arc::new(OfficerRegister::parse(&officers).map_err(|error| text(&error))?),
            catalogue: Arc::new(registers::catalogue(None).map_err(|error| text(&error))?),
        },
        environment: Arc::new(Machine),
        bus,
    }))
}

/// The id of a case: it follows from the command that submits it.
fn case_of(number: usize) -> Result<AggregateId, String> {
    let client = ClientName::new(CLIENT).map_err(|error| error.to_string())?;
    Ok(AggregateId::of_command(&client, CommandId(case_id(number))))
}

fn submission(case: usize) -> Request {
    let data = json!({
        "request_type": "pothole", "description": description(case), "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" },
    });
    request("SubmitRequest", case_id(case), None, &data)
}

fn update(case: usize) -> Request {
    let data = json!({
        "description": description(case), "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" },
    });
    request("UpdateRequest", Uuid::new_v4(), case_of(case).ok(), &data)
}

fn request(command: &str, id: Uuid, subject: Option<AggregateId>, data: &serde_json::Value) -> Request {
    let mut envelope = json!({
        "specversion": "1.0", "id": id, "type": format!("caseledger.{command}.v1"),
        "source": format!("/clients/{CLIENT}"), "datacontenttype": "application/json", "data": data,
    });
    if let Some(subject) = subject {
        envelope["subject"] = json!(subject);
    }
    Request {
        subject: format!("caseledger.call.{CLIENT}.{command}"),
        headers: Headers::from_iter([("content-type", "application/cloudevents+json")]),
        body: envelope.to_string().into(),
        reply: None,
    }
}

fn accepted(result: CommandResult) -> Result<(), String> {
    match result.status {
        CommandStatus::Accepted(_) => Ok(()),
        other => Err(format!("a command was not accepted: {other:?}")),
    }
}
