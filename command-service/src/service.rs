//! The command-service, put together.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use attachments::AttachmentStore;
use bus::{Bus, BusError, Request};
use event_store::{Appender, Feeds, LeaseGrant, Leases, Ledger, Timetable};
use schemas::result::CommandResult;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vault::{Fingerprinter, Vault};

use crate::beside;
use crate::calls::{answer_calls, answer_queries, answer_replays, call};
use crate::durable::{DurableCommands, LEASE};
use crate::environment::Environment;
use crate::feeds::{self, FeedKeeper};
use crate::files;
use crate::handler::{Handler, HandlerParts};
use crate::held::while_held;
use crate::intake::Registers;
use crate::queries::Queries;
use crate::rolled_back::{self, RolledBack};
use crate::timekeeper::{self, Timekeeper};

/// How long the taking of durable commands rests after the bus failed it.
const REST: Duration = Duration::from_millis(500);

/// What only people can mend.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The log is not the one that others were told of: what would be decided now would take places that are taken.
    #[error(transparent)]
    RolledBack(RolledBack),
    /// The bus refuses what this service must do.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// What a command-service is made of.
pub struct Parts {
    /// The log.
    pub ledger: Arc<dyn Ledger>,
    /// Its leases, in the name of this process.
    pub leases: Arc<dyn Leases>,
    /// What follows from the log and is kept in tables beside it. Without them this copy keeps neither the time nor contractors'
    /// feeds.
    pub tables: Option<Tables>,
    /// The keys.
    pub vault: Arc<Vault>,
    /// Keyed hashes of commands.
    pub fingerprinter: Fingerprinter,
    /// Clients, officers, catalogue.
    pub registers: Registers,
    /// Time and ids.
    pub environment: Arc<dyn Environment>,
    /// The wire, as answerer and puller.
    pub bus: Arc<dyn Bus>,
    /// The files of cases, where this council keeps some.
    pub files: Option<AttachmentStore>,
}

/// The tables beside the log.
pub struct Tables {
    /// What falls due when.
    pub timetable: Timetable,
    /// What is told to contractors, in which places.
    pub feeds: Feeds,
}

/// Answers calls, queries and replays, takes durable commands, keeps the time and contractors' feeds.
#[derive(Clone)]
pub struct CommandService {
    handler: Arc<Handler>,
    queries: Arc<Queries>,
    durable: Arc<DurableCommands>,
    keepers: Option<Keepers>,
    leases: Arc<dyn Leases>,
    bus: Arc<dyn Bus>,
    files: Option<AttachmentStore>,
}

/// Who keeps the tables beside the log.
#[derive(Clone)]
struct Keepers {
    timekeeper: Arc<Timekeeper>,
    feed_keeper: Arc<FeedKeeper>,
}

impl std::fmt::Debug for CommandService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommandService").finish_non_exhaustive()
    }
}

impl CommandService {
    /// A command-service of these parts. Call it within a tokio runtime: its appender starts at once.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let (others, beside) = mpsc::unbounded_channel();
        let handler = Arc::new(Handler::new(HandlerParts {
            ledger: parts.ledger.clone(),
            appender: Appender::beside_others(parts.ledger.clone(), others),
            vault: Arc::clone(&parts.vault),
            fingerprinter: parts.fingerprinter,
            registers: parts.registers,
            environment: parts.environment,
            files: parts.files.clone(),
        }));
        tokio::spawn(beside::follow(Arc::downgrade(&handler), beside));
        let keepers = parts.tables.map(|tables| Keepers {
            timekeeper: Arc::new(Timekeeper::new(Arc::clone(&handler), tables.timetable)),
            feed_keeper: Arc::new(FeedKeeper::new(
                Arc::clone(&handler),
                tables.feeds,
                parts.ledger.clone(),
                Arc::clone(&parts.vault),
                Arc::clone(&parts.bus),
            )),
        });
        let durable = DurableCommands {
            bus: Arc::clone(&parts.bus),
            handler: Arc::clone(&handler),
            vault: parts.vault,
            in_hand: Mutex::default(),
        };
        Self {
            queries: Arc::new(Queries::new(parts.ledger)),
            durable: Arc::new(durable),
            keepers,
            leases: parts.leases,
            bus: parts.bus,
            files: parts.files,
            handler,
        }
    }

    /// Puts other registers in force, for commands that come in from now on.
    pub fn set_registers(&self, registers: Registers) {
        self.handler.set_registers(registers);
    }

    /// The result of one call that is handed in within this process: checked, decided and recorded as if the bus had brought
    /// it. There is nothing that vouches for its subject, so the caller must.
    pub async fn call(&self, request: &Request) -> CommandResult {
        call(&self.handler, request).await
    }

    /// Works until `stop`; then ends what is under way. What the bus still holds comes again, here or in another copy. It takes
    /// nothing before log and event stream are known to agree.
    ///
    /// # Errors
    /// [`ServiceError`]: what only people can mend.
    pub async fn run(&self, stop: &CancellationToken) -> Result<(), ServiceError> {
        rolled_back::wait_until_agreed(self.handler.ledger(), self.bus.as_ref(), stop).await?;
        let calls = answer_calls(
            Arc::clone(&self.bus),
            Arc::clone(&self.handler),
            Arc::clone(&self.durable.vault),
            stop.clone(),
        );
        let queries = answer_queries(
            Arc::clone(&self.bus),
            Arc::clone(&self.handler),
            Arc::clone(&self.queries),
            stop.clone(),
        );
        let replays = answer_replays(
            Arc::clone(&self.bus),
            Arc::clone(&self.handler),
            Arc::clone(&self.queries),
            stop.clone(),
        );
        // One that fails ends the others: a service that answers only half of what it should is worse than none.
        let kept =
            async { tokio::try_join!(self.keep_time(stop), self.keep_feeds(stop), self.keep_files(stop)).map(drop) };
        tokio::try_join!(calls, queries, replays, self.take_durable(stop), kept)?;
        Ok(())
    }

    /// Keeps the time whenever the lease is held.
    async fn keep_time(&self, stop: &CancellationToken) -> Result<(), BusError> {
        let Some(Keepers { timekeeper, .. }) = &self.keepers else {
            return Ok(());
        };
        let keep = async |grant: LeaseGrant, ended: CancellationToken| {
            timekeeper.keep(grant, ended).await;
            Ok(())
        };
        while_held(self.leases.as_ref(), timekeeper::LEASE, stop, keep).await
    }

    /// Keeps contractors' feeds whenever the lease is held.
    async fn keep_feeds(&self, stop: &CancellationToken) -> Result<(), BusError> {
        let Some(Keepers { feed_keeper, .. }) = &self.keepers else {
            return Ok(());
        };
        let keep = async |grant: LeaseGrant, ended: CancellationToken| {
            feed_keeper.keep(grant, ended).await;
            Ok(())
        };
        while_held(self.leases.as_ref(), feeds::LEASE, stop, keep).await
    }

    /// Keeps the files of cases whenever the lease is held.
    async fn keep_files(&self, stop: &CancellationToken) -> Result<(), BusError> {
        let Some(files) = &self.files else { return Ok(()) };
        let now = || self.handler.environment().now().get();
        let keep = async |grant: LeaseGrant, ended: CancellationToken| {
            files::keep(files, self.handler.ledger(), now, grant, ended).await;
            Ok(())
        };
        while_held(self.leases.as_ref(), files::LEASE, stop, keep).await
    }

    /// Takes durable commands whenever the lease is held.
    async fn take_durable(&self, stop: &CancellationToken) -> Result<(), BusError> {
        while_held(
            self.leases.as_ref(),
            LEASE,
            stop,
            async |grant: LeaseGrant, ended: CancellationToken| match self.durable.take(grant, ended.clone()).await {
                Err(
                    error @ (BusError::Refused { .. }
                    | BusError::Open { .. }
                    | BusError::Broken { .. }
                    | BusError::TooLarge { .. }),
                ) => Err(error),
                Err(error) => {
                    tracing::warn!(%error, "durable commands are taken anew");
                    tokio::select! {
                        biased;
                        () = ended.cancelled() => {}
                        () = tokio::time::sleep(REST) => {}
                    }
                    Ok(())
                }
                Ok(()) => Ok(()),
            },
        )
        .await
    }
}
