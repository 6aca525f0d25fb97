//! Each service, built from its settings and run until it is told to stop.

use std::sync::Arc;
use std::time::Instant;

use attachments::AttachmentStore;
use bus::{Bus, NatsBus, ServiceUser};
use command_service::{CommandService, Parts, Relay, Tables};
#[cfg(not(feature = "fault"))]
use command_service::{Environment, Machine};
#[cfg(not(feature = "fault"))]
use event_store::Ledger;
use event_store::{Feeds, PgLeases, PgLedger, StoredEvent, Timetable};
use futures::StreamExt;
use futures::stream::{BoxStream, FuturesUnordered};
use notifier::Notifier;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vault::{KeyEncryptionKey, Vault};

use crate::cli::Service;
use crate::database;
use crate::operation::{Operation, RunsOn};
use crate::outcome::Failure;
use crate::passwords;
use crate::registers::{self, RegisterFiles};
use crate::settings::{ServiceFiles, ServiceSettings};

#[cfg(feature = "fault")]
mod fault;
mod notifying;

pub use notifying::CLIENT as NOTIFIER_CLIENT;

impl Service {
    /// Its name, as it is called and as Postgres shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CommandService => "command-service",
            Self::Relay => "relay",
            Self::Projections => "projections",
            Self::Notifier => "notifier",
        }
    }

    /// As which NATS users it speaks.
    const fn users(self) -> &'static [ServiceUser] {
        match self {
            Self::CommandService => &[ServiceUser::Answerer, ServiceUser::Puller],
            Self::Relay => &[ServiceUser::Relay],
            Self::Projections | Self::Notifier => &[ServiceUser::Follower],
        }
    }
}

/// Runs services side by side until `stop`, or until one of them fails: then all stop, and the failure is returned. `operation`
/// is told of each.
///
/// # Errors
/// The first failure.
pub async fn run_all(
    services: impl IntoIterator<Item = (Service, ServiceSettings)>,
    operation: &Operation,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    // What is heavy in them (commands, sending, answering) spawns tasks of its own.
    let start = |(service, settings)| async move {
        let running = run(service, settings, operation, stop.clone());
        (service, operation.alive(service, running).await)
    };
    let mut running: FuturesUnordered<_> = services.into_iter().map(start).collect();
    let mut outcome = Ok(());
    while let Some((service, ended)) = running.next().await {
        let failure = match ended {
            Ok(()) => {
                tracing::info!(service = service.name(), "stopped");
                continue;
            }
            Err(failure) => Failure::Down(format!("{}: {failure}", service.name())),
        };
        tracing::error!(%failure, "a service ended, so all stop");
        stop.cancel();
        outcome = outcome.and(Err(failure));
    }
    outcome
}

/// Runs one service.
async fn run(
    service: Service,
    settings: ServiceSettings,
    operation: &Operation,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let passwords = passwords::of_services(&settings.nats_users_file)?.only(service.users());
    if let Some(missing) = service.users().iter().find(|user| passwords.get(**user).is_none()) {
        return Err(Failure::Usage(format!(
            "{} has no password for {missing}",
            settings.nats_users_file.display()
        )));
    }
    let nats = NatsBus::connect(&settings.nats, &passwords).await;
    let nats = Arc::new(nats.map_err(Failure::down)?);
    let connections = match service {
        Service::Notifier => Notifier::CONNECTIONS,
        _ => database::CONNECTIONS,
    };
    let name = format!("caseledger {}", service.name());
    let pool = match service {
        Service::Relay => database::pool_that_plans_once(&settings.database_url, &name, connections)?,
        _ => database::pool(&settings.database_url, &name, connections)?,
    };
    let ledger = Arc::new(PgLedger::new(pool.clone()));
    let runs_on = RunsOn {
        pool: pool.clone(),
        ledger: Arc::clone(&ledger),
        bus: Arc::clone(&nats),
    };
    operation.runs_on(service, runs_on);
    let bus: Arc<dyn Bus> = nats;
    #[cfg(not(feature = "fault"))]
    let (appended_to, environment): (Arc<dyn Ledger>, Arc<dyn Environment>) = (ledger.clone(), Arc::new(Machine));
    #[cfg(feature = "fault")]
    let (bus, appended_to, environment) = fault::put_in(bus, ledger.clone())?;
    tracing::info!(service = service.name(), "started");
    match &settings.files {
        ServiceFiles::CommandService {
            key_file,
            clients_file,
            officers_file,
            holidays_file,
            clocks_file,
            attachments_store,
            boundaries_file,
        } => {
            let files_of_cases = attachments_store.as_deref().map(AttachmentStore::open);
            let catalogue = Arc::new(registers::catalogue(settings.catalogue_dir.as_deref())?);
            let files = RegisterFiles {
                clients: clients_file.clone(),
                officers: officers_file.clone(),
                holidays: holidays_file.clone(),
                clocks: clocks_file.clone(),
                boundaries: boundaries_file.clone(),
            };
            let registers = files.load(catalogue)?;
            let loaded = registers.clone();
            let key = Arc::new(KeyEncryptionKey::load(key_file).map_err(Failure::usage)?);
            let service = CommandService::new(Parts {
                leases: Arc::new(PgLeases::new(pool.clone(), Uuid::new_v4())),
                tables: Some(Tables {
                    timetable: Timetable::new(pool.clone()),
                    feeds: Feeds::new(pool.clone()),
                }),
                ledger: appended_to,
                fingerprinter: key.fingerprinter().map_err(Failure::down)?,
                vault: Arc::new(Vault::new(pool, key, vault::Settings::default(), Instant::now)),
                registers,
                environment,
                bus,
                files: files_of_cases.transpose().map_err(Failure::usage)?,
            });
            // Who watches the files ends with the service, also where that ends by itself.
            let served = stop.child_token();
            let watching = files.watch(loaded, &served, async |registers| service.set_registers(registers));
            let serving = async {
                let ended = service.run(&stop).await;
                served.cancel();
                ended
            };
            tokio::join!(serving, watching).0.map_err(Failure::down)
        }
        ServiceFiles::Relay => {
            let leases = PgLeases::new(pool, Uuid::new_v4());
            Relay::new(ledger, bus).run(&leases, &stop).await.map_err(Failure::down)
        }
        ServiceFiles::Projections => {
            // Heard and read once, for all of them.
            let heard = broadcast::Sender::new(HEARD_EVENTS);
            let run = |projection| {
                let run = projections::run(
                    projection,
                    ledger.clone(),
                    pool.clone(),
                    listen(heard.subscribe()),
                    stop.clone().cancelled_owned(),
                );
                async { run.await.map_err(Failure::down) }
            };
            let projections =
                futures::future::try_join_all(projections::projections(Uuid::new_v4).into_iter().map(run));
            let passing_on = live(bus.as_ref()).await?.for_each(|event| {
                // Who has ended hears nothing, and need not.
                let _ = heard.send(event);
                std::future::ready(())
            });
            tokio::select! {
                ended = projections => ended.map(drop),
                () = passing_on => Err(Failure::Down("the bus ended".to_owned())),
            }
        }
        ServiceFiles::Notifier { .. } => {
            let live = live(bus.as_ref()).await?;
            notifying::run(&settings, pool, ledger, live, operation, stop).await
        }
    }
}

/// How many events are kept for a projection that is busy. What it misses it reads from the log.
const HEARD_EVENTS: usize = 1024;

/// What is passed on, but for what came too fast.
fn listen(receiver: broadcast::Receiver<StoredEvent>) -> BoxStream<'static, StoredEvent> {
    let next = async |mut receiver: broadcast::Receiver<StoredEvent>| {
        loop {
            match receiver.recv().await {
                Ok(event) => return Some((event, receiver)),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    };
    futures::stream::unfold(receiver, next).boxed()
}

/// Events as they are heard of.
async fn live(bus: &dyn Bus) -> Result<BoxStream<'static, StoredEvent>, Failure> {
    let events = bus.follow_events(None).await.map_err(Failure::down)?;
    Ok(events
        .filter_map(|message| std::future::ready(projections::heard(&message.body)))
        .boxed())
}

/// Runs until it ends by itself, or somebody asks the process to end: then `stop` is called, and it is waited for.
///
/// # Errors
/// That of `running`, or [`Failure::Down`] where the system has no signals to give.
pub async fn until_asked_to_stop(
    running: impl Future<Output = Result<(), Failure>>,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let mut running = std::pin::pin!(running);
    tokio::select! {
        ended = &mut running => ended,
        asked = asked_to_stop() => {
            stop.cancel();
            running.await.and(asked)
        }
    }
}

/// Ready when somebody asks this process to end: Ctrl-C, or the signal that a supervisor sends.
async fn asked_to_stop() -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::down)?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::down),
        _ = terminate.recv() => Ok(()),
    }
}
