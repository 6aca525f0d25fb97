//! Caseledger itself: a council with its database and its bus, the command-service in this process, the others as processes of
//! their own, as they are deployed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bus::{Bus, BusClient, Headers, NatsBus, Outgoing, Request};
use caseledger::{database, registers};
use command_service::officers::OfficerRegister;
use command_service::{CommandService, Machine, Parts, Registers, Tables};
use event_store::{Feeds, PgLeases, PgLedger, Timetable};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use schemas::result::{Accepted, CommandResult, CommandStatus};
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
pub const CLIENT: &str = "website";

/// How many of the first cases are brought at once.
const SEEDED_AT_ONCE: usize = 512;

/// How long the followers of the log may take to catch up.
const PATIENCE: Duration = Duration::from_secs(600);

/// A council to be measured.
pub struct Ours {
    /// Its database, its bus and its files.
    pub council: Council,
    /// Its command-services in this process; commands go to each in turn, as NATS hands calls out.
    services: Vec<CommandService>,
    /// The bus, as any of its services.
    pub bus: Arc<NatsBus>,
    /// The database, as its owner.
    pub owner: PgPool,
    processes: Vec<Process>,
    /// How commands come, where not by a call in this process.
    way: Option<(Way, BusClient)>,
    /// Whether something follows the log.
    followed: bool,
    ids: Ids,
}

/// The ids that clients give to commands called in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// UUIDv4: each falls somewhere else in the index of commands.
    Random,
    /// UUIDv7: each falls beside the one before it.
    InOrder,
}

impl Ids {
    fn next(self) -> Uuid {
        match self {
            Self::Random => Uuid::new_v4(),
            Self::InOrder => Uuid::now_v7(),
        }
    }
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
    /// Sets a council up, and brings its cases: each a submission and four updates, through the command-service, which has them in
    /// memory then.
    ///
    /// # Errors
    /// A sentence on what failed.
    pub async fn set_up(postgres: &Arc<TestPostgres>, cases: usize) -> Result<Self, String> {
        Self::set_up_with(postgres, cases, PRIOR_EVENTS).await
    }

    /// The same with so many events in each case.
    ///
    /// # Errors
    /// A sentence on what failed.
    pub async fn set_up_with(postgres: &Arc<TestPostgres>, cases: usize, prior: usize) -> Result<Self, String> {
        let ours = Self::empty(postgres).await?;
        ours.seed(cases, prior).await?;
        Ok(ours)
    }

    /// The same with a command-service that is a process of its own, and has taken all of it in. Commands go to it over NATS.
    ///
    /// # Errors
    /// A sentence on what failed.
    pub async fn over_nats(postgres: &Arc<TestPostgres>, cases: usize, way: Way) -> Result<Self, String> {
        let mut ours = Self::empty(postgres).await?;
        let (process, client) = (ours.serve_command_service().await?, ours.council.client(CLIENT).await);
        ours.processes = vec![process];
        ours.way = Some((Way::Called, client.clone()));
        ours.seed(cases, PRIOR_EVENTS).await?;
        ours.until_taken_in().await?;
        ours.way = Some((way, client));
        Ok(ours)
    }

    async fn empty(postgres: &Arc<TestPostgres>) -> Result<Self, String> {
        let council = Council::on(postgres.database().await).await;
        let bus = NatsBus::connect(&council.nats.url(), &council.service_passwords).await;
        let bus = Arc::new(bus.map_err(|error| error.to_string())?);
        let service = command_service(&council, Arc::clone(&bus))?;
        let owner = council.owner().await;
        Ok(Self {
            council,
            services: vec![service],
            bus,
            owner,
            processes: Vec::new(),
            way: None,
            followed: false,
            ids: Ids::Random,
        })
    }

    /// The command-service; the first, where there are two.
    #[must_use]
    pub fn service(&self) -> &CommandService {
        &self.services[0]
    }

    /// Puts a second command-service beside the first, with a pool of its own: both work on all cases.
    ///
    /// # Errors
    /// A sentence on what failed.
    pub fn and_another(mut self) -> Result<Self, String> {
        let another = command_service(&self.council, Arc::clone(&self.bus))?;
        self.services.push(another);
        Ok(self)
    }

    /// Gives other ids to the commands from here on.
    pub const fn give_ids(&mut self, ids: Ids) {
        self.ids = ids;
    }

    /// Sends commands within this process, to each command-service in turn.
    pub fn calls(&self) -> impl Fn(Request) -> BoxFuture<'static, CommandResult> + use<> {
        let (services, turn) = (self.services.clone(), AtomicUsize::new(0));
        move |command| {
            let service = services[turn.fetch_add(1, Ordering::Relaxed) % services.len()].clone();
            Box::pin(async move { service.call(&command).await })
        }
    }

    async fn seed(&self, cases: usize, prior: usize) -> Result<(), String> {
        let (update, opening) = (self.command(), self.way.as_ref());
        let bring = |case: usize| {
            let update = &update;
            async move {
                match opening {
                    Some((_, client)) => open(client, case).await?,
                    None => accepted(self.service().call(&submission(case)).await).map(drop)?,
                }
                for _ in 1..prior {
                    update(case).await?;
                }
                Ok::<_, String>(())
            }
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

    /// Starts a command-service as a process of its own, and waits until it answers and has taken in the log.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn serve_command_service(&self) -> Result<Process, String> {
        let process = self.council.serve("command-service");
        self.council.answering().await;
        self.until_taken_in().await?;
        Ok(process)
    }

    /// Waits until the timetable and the feeds of the command-service stand at the end of the log.
    async fn until_taken_in(&self) -> Result<(), String> {
        self.until(
            "SELECT least(timetable.position, feeds.position) >= head.position
             FROM ledger.head, ledger.timetable_head AS timetable, ledger.feeds_head AS feeds",
        )
        .await
    }

    /// Lets go of its connections, and ends its processes.
    pub async fn let_go(self) {
        drop(self.processes);
        self.owner.close().await;
    }

    /// Waits until the event stream and every projection stand at the end of the log.
    async fn until_caught_up(&self) -> Result<(), String> {
        self.until(
            "SELECT least(history.position, reporting.position) >= head.position
             FROM ledger.head, history.checkpoints AS history, reporting.checkpoints AS reporting",
        )
        .await?;
        self.until_published().await
    }

    /// Waits until a query says so.
    async fn until(&self, query: &'static str) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let is_so = sqlx::query_scalar(query).fetch_one(&self.owner).await;
            if is_so.map_err(|error| error.to_string())? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err("what follows the log did not catch up".to_owned())
    }

    /// The last position that was published: the stream holds every event up to it.
    ///
    /// # Errors
    /// What the bus said.
    pub async fn published(&self) -> Result<i64, String> {
        let end = self.bus.last_event().await.map_err(|error| error.to_string())?;
        i64::try_from(end.messages).map_err(|error| error.to_string())
    }

    /// The last position of the log.
    ///
    /// # Errors
    /// What the database said.
    pub async fn head(&self) -> Result<i64, String> {
        let head = sqlx::query_scalar("SELECT position FROM ledger.head").fetch_one(&self.owner);
        head.await.map_err(|error| error.to_string())
    }

    /// Waits until everything is published.
    ///
    /// # Errors
    /// Where it is not in time.
    pub async fn until_published(&self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.published().await? == self.head().await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Err("the relay did not catch up".to_owned())
    }
}

#[async_trait]
impl Ready for Ours {
    fn command(&self) -> Command {
        if let Some((way, client)) = &self.way {
            let (way, client) = (*way, client.clone());
            return Arc::new(move |case| {
                let client = client.clone();
                Box::pin(async move { send(way, &client, case).await.map(|_| 0) })
            });
        }
        let (calls, ids) = (self.calls(), self.ids);
        Arc::new(move |case| {
            let called = calls(update_by(ids.next(), case));
            Box::pin(async move { accepted(called.await).map(|_| 0) })
        })
    }

    fn has_followers(&self) -> bool {
        self.followed
    }

    async fn caught_up(&self) -> Result<(), String> {
        self.until_caught_up().await
    }

    async fn close(self: Box<Self>) {
        self.let_go().await;
    }
}

async fn send(way: Way, client: &BusClient, case: usize) -> Result<Accepted, String> {
    let subject = Some(case_of(case)?);
    let command = outgoing("UpdateRequest", Uuid::new_v4(), subject, &update_data(case));
    let sent = match way {
        Way::Called => client.call_until_known(&command).await,
        Way::Durable => client.send(&command).await,
    };
    accepted(sent.map_err(|error| error.to_string())?)
}

/// Opens a case over NATS.
async fn open(client: &BusClient, case: usize) -> Result<(), String> {
    let command = outgoing("SubmitRequest", case_id(case), None, &submission_data(case));
    let sent = client.call_until_known(&command).await;
    accepted(sent.map_err(|error| error.to_string())?).map(drop)
}

/// A command as its sender gives it to the bus.
pub fn outgoing(command: &'static str, id: Uuid, subject: Option<AggregateId>, data: &Value) -> Outgoing {
    let now = OffsetDateTime::now_utc().into();
    Outgoing::new(CommandId(id), command, subject, now, data.to_string())
}

fn command_service(council: &Council, bus: Arc<NatsBus>) -> Result<CommandService, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let pool = database::pool(council.database_url("command-service"), "bench", database::CONNECTIONS)
        .map_err(|error| text(&error))?;
    let key = KeyEncryptionKey::load(&council.path("key")).map_err(|error| text(&error))?;
    let key = Arc::new(key);
    let officers = std::fs::read_to_string(council.path("officers.toml")).map_err(|error| text(&error))?;
    Ok(CommandService::new(Parts {
        leases: Arc::new(PgLeases::new(pool.clone(), Uuid::new_v4())),
        tables: Some(Tables {
            timetable: Timetable::new(pool.clone()),
            feeds: Feeds::new(pool.clone()),
        }),
        ledger: Arc::new(PgLedger::new(pool.clone())),
        fingerprinter: key.fingerprinter().map_err(|error| text(&error))?,
        vault: Arc::new(Vault::new(pool, key, vault::Settings::default(), Instant::now)),
        registers: Registers {
            clients: Arc::new(council.register.clone()),
            officers: Arc::new(OfficerRegister::parse(&officers).map_err(|error| text(&error))?),
            catalogue: Arc::new(registers::catalogue(None).map_err(|error| text(&error))?),
            area: None,
            clocks: Arc::new(registers::clock_files(None, None).map_err(|error| text(&error))?),
        },
        environment: Arc::new(Machine),
        bus,
        files: None,
    }))
}

/// The id of a case: it follows from the command that submits it.
///
/// # Errors
/// Never: the client's name is one.
pub fn case_of(number: usize) -> Result<AggregateId, String> {
    let client = ClientName::new(CLIENT).map_err(|error| error.to_string())?;
    Ok(AggregateId::of_command(&client, CommandId(case_id(number))))
}

/// The command that opens a case.
#[must_use]
pub fn submission(case: usize) -> Request {
    request("SubmitRequest", case_id(case), None, &submission_data(case))
}

/// What a resident says who reports an obstruction: no contractor's job, so that a command is one event, as it is for the others.
#[must_use]
pub fn submission_data(case: usize) -> Value {
    json!({
        "request_type": "obstruction", "description": description(case), "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" },
    })
}

/// A command of the work: a resident adds something to a case.
#[must_use]
pub fn update(case: usize) -> Request {
    update_by(Uuid::new_v4(), case)
}

fn update_by(id: Uuid, case: usize) -> Request {
    request("UpdateRequest", id, case_of(case).ok(), &update_data(case))
}

fn update_data(case: usize) -> Value {
    json!({
        "description": description(case), "channel": "online",
        "actor": { "kind": "resident", "assurance": "none" },
    })
}

/// A command as the bus would bring it.
#[must_use]
pub fn request(command: &str, id: Uuid, subject: Option<AggregateId>, data: &Value) -> Request {
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

/// What an accepted command brought about.
///
/// # Errors
/// What else became of it.
pub fn accepted(result: CommandResult) -> Result<Accepted, String> {
    match result.status {
        CommandStatus::Accepted(accepted) => Ok(accepted),
        other => Err(format!("a command was not accepted: {other:?}")),
    }
}
