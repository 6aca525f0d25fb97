//! The council of a run: its registers, and its services as they are.

use std::sync::Arc;
use std::time::Duration;

use bus::clients::{self, ClientRegister, Rights};
use bus::{Bus as _, Password};
use catalogue::Catalogue;
use catalogue::clocks::ClockFiles;
use command_service::officers::OfficerRegister;
use command_service::{CommandService, Environment, Parts, Registers, Relay};
use event_store::Subscription;
use futures::StreamExt as _;
use rand::SeedableRng as _;
use schemas::moment::Instant;
use schemas::{ClientName, EventId};
use tokio_util::sync::CancellationToken;
use vault::{KeyEncryptionKey, KeyRng, Vault};

use crate::bus::{ModelBus, ModelNats};
use crate::keys::ModelKeyStore;
use crate::leases::ModelLeases;
use crate::ledger::{ModelLedger, ModelLog};
use crate::process::Process;
use crate::view::{View, Viewer};
use crate::witness::Invariant;
use crate::world::World;

/// The officers of every run.
const OFFICERS: &str = "
[[officer]]
id = \"m.hughes\"
name = \"Mair Hughes\"
teams = [\"highways-inspection\"]
from = \"2017-01-01\"
";

/// The clients of every run, in the order of the senders that use them.
pub(crate) const CLIENTS: [&str; 2] = ["website", "contact-centre"];

/// How far the clock of a process may be out.
const CLOCKS_OUT: Duration = Duration::from_secs(3);

/// What all runs of a program share, since it does not change in them.
#[derive(Clone)]
pub struct Registry {
    registers: Registers,
    key: Arc<KeyEncryptionKey>,
}

/// Why there is nothing to simulate.
#[derive(Debug, thiserror::Error)]
#[error("the registers of a simulated council could not be made: {0}")]
pub struct NoRegistry(String);

impl NoRegistry {
    fn of(error: impl std::fmt::Debug) -> Self {
        Self(format!("{error:?}"))
    }
}

impl Registry {
    /// The built-in catalogue, two clients that may do everything, and an officer.
    ///
    /// # Errors
    /// [`NoRegistry`], where a file that is built in can't be read.
    pub fn new() -> Result<Self, NoRegistry> {
        let every = || vec!["*".to_owned()];
        let rights = Rights {
            commands: every(),
            services: every(),
            actors: ["resident", "officer"].map(str::to_owned).to_vec(),
            teams: every(),
            ..Rights::default()
        };
        let mut text = String::new();
        for client in CLIENTS {
            let name = ClientName::new(client).map_err(NoRegistry::of)?;
            let password = Password::new(format!("the password of {client}"));
            let added = clients::add(&text, &name, &password, &rights);
            text = added.map_err(NoRegistry::of)?.text;
        }
        let registers = Registers {
            clients: Arc::new(ClientRegister::parse(&text).map_err(NoRegistry::of)?),
            officers: Arc::new(OfficerRegister::parse(OFFICERS).map_err(NoRegistry::of)?),
            catalogue: Arc::new(Catalogue::built_in().map_err(NoRegistry::of)?),
            clocks: Arc::new(ClockFiles::built_in().map_err(NoRegistry::of)?),
            area: None,
        };
        let key = KeyEncryptionKey::generate(&mut KeyRng::seed_from_u64(1)).map_err(NoRegistry::of)?;
        Ok(Self {
            registers,
            key: Arc::new(key),
        })
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// The clock of one process, and what it draws.
struct Machine {
    world: Arc<World>,
    ahead: time::Duration,
}

impl Environment for Machine {
    fn now(&self) -> Instant {
        Instant::new(self.world.now() + self.ahead)
    }

    fn event_id(&self) -> EventId {
        EventId(self.world.event_uuid())
    }

    fn draw(&self) -> u8 {
        u8::try_from(self.world.below(100)).unwrap_or(0)
    }

    fn key_rng(&self) -> KeyRng {
        KeyRng::seed_from_u64(self.world.bits())
    }
}

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    CommandService,
    Relay,
    Projection,
}

/// One running process.
pub(crate) struct Running {
    pub(crate) kind: Kind,
    pub(crate) number: usize,
    pub(crate) process: Arc<Process>,
    pub(crate) bus: Arc<ModelBus>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Kills it: nothing of it reaches the world from here on.
    pub(crate) fn kill(&self) {
        self.process.kill();
        self.task.abort();
    }
}

/// What the services of a run share.
#[derive(Clone)]
pub(crate) struct Council {
    pub(crate) world: Arc<World>,
    pub(crate) log: ModelLog,
    pub(crate) nats: ModelNats,
    pub(crate) view: View,
    pub(crate) registry: Registry,
}

impl Council {
    pub(crate) fn new(world: Arc<World>, registry: Registry) -> Self {
        let log = ModelLog::default();
        Self {
            nats: ModelNats::new(Arc::clone(&world), log.clone()),
            world,
            log,
            view: View::default(),
            registry,
        }
    }

    /// Starts a process; `start` says how often this copy was started before.
    pub(crate) fn start(&self, kind: Kind, number: usize, start: usize) -> Running {
        let process = Arc::new(Process::new(format!("{kind:?} {number}.{start}")));
        self.world.step(process.name(), format_args!("starts"));
        let line = ModelLedger::new(self.log.clone(), Arc::clone(&self.world), Arc::clone(&process));
        let bus = Arc::new(ModelBus::new(self.nats.clone(), Arc::clone(&process)));
        let running = self.clone().run(kind, line, Arc::clone(&bus));
        let (world, witness, ended) = (
            Arc::clone(&self.world),
            Arc::clone(&self.nats.witness),
            Arc::clone(&process),
        );
        // The services run on one thread in any case; their futures need not be fit for others.
        let task = tokio::task::spawn_local(async move {
            let why = running.await;
            let what = format!("{} ended by itself: {why}", ended.name());
            witness.broken(&world, Invariant::Recovers, what);
        });
        Running {
            kind,
            number,
            process,
            bus,
            task,
        }
    }

    /// Runs a service, until it ends by itself: why.
    async fn run(self, kind: Kind, line: ModelLedger, bus: Arc<ModelBus>) -> String {
        let stop = CancellationToken::new();
        let leases = ModelLeases::new(line.clone(), self.world.uuid());
        match kind {
            Kind::CommandService => {
                let service = match self.command_service(line, leases, bus) {
                    Ok(service) => service,
                    Err(why) => return why,
                };
                format!("{:?}", service.run(&stop).await)
            }
            Kind::Relay => {
                let relay = Relay::new(Arc::new(line), bus);
                format!("{:?}", relay.run(&leases, &stop).await)
            }
            Kind::Projection => {
                let mut viewer = Viewer {
                    view: self.view.clone(),
                    world: Arc::clone(&self.world),
                    process: Arc::clone(&line.process),
                };
                let live = match bus.follow_events(None).await {
                    Ok(live) => live,
                    Err(error) => return error.to_string(),
                };
                let live = live.filter_map(|message| std::future::ready(projections::heard(&message.body)));
                let subscription = Subscription::new("simulated", Arc::new(line), live);
                format!("{:?}", subscription.run(&mut viewer, std::future::pending()).await)
            }
        }
    }

    fn command_service(
        &self,
        line: ModelLedger,
        leases: ModelLeases,
        bus: Arc<ModelBus>,
    ) -> Result<CommandService, String> {
        let out = self.world.between(Duration::ZERO, CLOCKS_OUT * 2);
        let environment = Machine {
            world: Arc::clone(&self.world),
            ahead: time::Duration::try_from(out).unwrap_or_default() - CLOCKS_OUT,
        };
        let now = || tokio::time::Instant::now().into_std();
        let key = Arc::clone(&self.registry.key);
        Ok(CommandService::new(Parts {
            fingerprinter: key.fingerprinter().map_err(|error| error.to_string())?,
            vault: Arc::new(Vault::over(
                Arc::new(ModelKeyStore::new(line.clone())),
                key,
                vault::Settings::default(),
                now,
            )),
            ledger: Arc::new(line),
            leases: Arc::new(leases),
            tables: None,
            registers: self.registry.registers.clone(),
            environment: Arc::new(environment),
            bus,
            files: None,
        }))
    }
}
