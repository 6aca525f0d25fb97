//! Caseledger itself: a council with its database and its bus, the command-service in this process, the others as processes of
//! their own, as they are deployed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bus::{Bus, BusClient, Headers, NatsBus, Outgoing, Request};
use caseledger::{database, registers};
use command_service::officers::OfficerRegister;
use command_service::{CommandService, Machine, Parts, Registers};
use event_store::{Leases, PgLedger};
use futures::{StreamExt, TryStreamExt};
use schemas::result::{CommandResult, CommandStatus};
use schemas::{AggregateId, ClientName, CommandId};
use serde_json::{Value, json};
use sqlx::PgPool;
use system_tests::{Council, Process, TestPostgres};
use time::OffsetDateTime;
use uuid::Uuid;
use vault::{KeyEncryptionKey, Vault};

use super::Ready;
use crate::load::Command;
use crate::work::{PRIOR_EVENTS, case_id, description};

/// The client in whose name commands come.
const CLIENT: &str = "website";

/// How many of the first cases are brought at once.
const SEEDED_AT_ONCE: usize = 256;

/// How long the followers of the log may take to catch up.
const PATIENCE: Duration = Duration::from_secs(600);

/// A council to be measured.
pub struct Ours {
    council: Council,
    service: CommandService,
    bus: Arc<NatsBus>,
    owner: PgPool,
    processes: Vec<Process>,
    /// How commands come, where not by a call in this process.
    way: Option<(Way, BusClient)>,
    /// Whether something follows the log.
    followed: bool,
}

/// How commands come over NATS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Request and reply.
    Called,
    /// Stored by NATS, until the result is heard.
    Durable,
}

impl Ours {
    /// Sets a council up, and brings its cases: each a submission and four updates, through the command-service.
    ///
    /// # Errors
    /// A sentence on what failed.
    pub async fn set_up(postgres: &Arc<TestPostgres>, cases: usize) -> Result<Self, String> {
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
            processes: Vec::new(),
            way: None,
            followed: false,
        };
        ours.seed(cases).await?;
        Ok(ours)
    }

    async fn seed(&self, cases: usize) -> Result<(), String> {
        let bring = |case: usize| async move {
            accepted(self.service.call(&submission(case)).await)?;
            for _ in 1..PRIOR_EVENTS {
                accepted(self.service.call(&update(case)).await)?;
            }
            Ok::<_, String>(())
        };
        futures::stream::iter((0..cases).map(bring))
            .buffer_unordered(SEEDED_AT_ONCE)
            .try_collect::<()>()
            .await?;
        let vacuum = sqlx::raw_sql("VACUUM ANALYZE ledger.events, ledger.commands").execute(&self.owner);
        vacuum.await.map(drop).map_err(|error| error.to_string())
    }

    /// Starts the relay and the projections, and waits until they have caught up.
    ///
    /// # Errors
    /// Where they do not.
    pub async fn running(mut self) -> Result<Self, String> {
        self.processes = ["relay", "projections"]
            .map(|service| self.council.serve(service))
            .into();
        self.followed = true;
        self.until_caught_up().await?;
        Ok(self)
    }

    /// Starts a command-service as a process of its own, and sends commands to it.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn over_nats(mut self, way: Way) -> Result<Self, String> {
        self.processes = vec![self.council.serve("command-service")];
        self.council.answering().await;
        self.way = Some((way, self.council.client(CLIENT).await));
        Ok(self)
    }

    /// Adds events by SQL, as if so many updates had come; a pool to read them with.
    ///
    /// # Errors
    /// What the database said.
    pub async fn with_events(&self, events: usize) -> Result<PgPool, String> {
        const ADD: &str = "
            WITH head AS (SELECT position FROM ledger.head),
                 template AS (SELECT * FROM ledger.events WHERE event_type = 'RequestUpdated' LIMIT 1),
                 added AS (
                    INSERT INTO ledger.events
                    SELECT template.aggregate_type, md5((number / 5)::text)::uuid::text, 1 + number % 5, template.event_type,
                           template.event_version, template.payload, template.metadata, head.position + 1 + number,
                           template.service, head.position + 1 + number, gen_random_uuid(), gen_random_uuid(),
                           template.client, template.recorded_at, template.occurred_at
                    FROM head, template, generate_series(0, $1::bigint - 1) AS number
                    RETURNING 1
                 )
            UPDATE ledger.head SET position = position + (SELECT count(*) FROM added)";
        let superuser = self.council.database.superuser().await;
        let add = sqlx::query(ADD).bind(events as i64).execute(&superuser).await;
        add.map_err(|error| error.to_string())?;
        let vacuum = sqlx::raw_sql("VACUUM ANALYZE ledger.events").execute(&superuser).await;
        vacuum.map_err(|error| error.to_string())?;
        Ok(superuser)
    }

    /// Waits until the event stream and every projection stand at the end of the log.
    async fn until_caught_up(&self) -> Result<(), String> {
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
}

#[async_trait]
impl Ready for Ours {
    fn command(&self) -> Command {
        if let Some((way, client)) = &self.way {
            let (way, client) = (*way, client.clone());
            return Arc::new(move |case| {
                let client = client.clone();
                Box::pin(async move { send(way, &client, case).await.map(|()| 0) })
            });
        }
        let service = self.service.clone();
        Arc::new(move |case| {
            let service = service.clone();
            Box::pin(async move { accepted(service.call(&update(case)).await).map(|()| 0) })
        })
    }

    fn has_followers(&self) -> bool {
        self.followed
    }

    async fn caught_up(&self) -> Result<(), String> {
        self.until_caught_up().await
    }

    async fn close(self: Box<Self>) {
        drop(self.processes);
        self.owner.close().await;
    }
}

async fn send(way: Way, client: &BusClient, case: usize) -> Result<(), String> {
    let command = Outgoing {
        id: CommandId(Uuid::new_v4()),
        name: "UpdateRequest".to_owned(),
        subject: Some(case_of(case)?),
        time: OffsetDateTime::now_utc().into(),
        correlation_id: None,
        causation_id: None,
        data: update_data(case).to_string(),
    };
    let sent = match way {
        Way::Called => client.call_until_known(&command).await,
        Way::Durable => client.send(&command).await,
    };
    accepted(sent.map_err(|error| error.to_string())?)
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
    request("UpdateRequest", Uuid::new_v4(), case_of(case).ok(), &update_data(case))
}

fn update_data(case: usize) -> Value {
    json!({
        "description": description(case), "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" },
    })
}

fn request(command: &str, id: Uuid, subject: Option<AggregateId>, data: &Value) -> Request {
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
