//! Postgres and NATS: our own, or those that the environment names.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::{BusError, ServiceUser, Steward};
use tokio_util::sync::CancellationToken;

use super::home::Home;
use super::{blocking, now};
use crate::database;
use crate::outcome::Failure;
use crate::servers::{DataDir, Durability, NatsConfig, NatsServer, PostgresServer, write_private};
use crate::settings::{environment, nats_at};

/// The database on a server of our own.
const DATABASE: &str = "caseledger";

/// How often it is looked whether our servers still run.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The servers that the system runs on.
pub struct Platform {
    /// The owner of the database.
    pub owner_url: String,
    /// The superuser, on a server of our own; elsewhere the owner.
    pub superuser_url: String,
    /// Where NATS is.
    pub nats_url: String,
    /// The file of accounts that nats-server includes.
    pub accounts_file: std::path::PathBuf,
    postgres: Option<Arc<Mutex<PostgresServer>>>,
    nats: Option<Arc<Mutex<NatsServer>>>,
}

impl Platform {
    /// Starts what the environment does not name, and brings the database to the current version.
    pub async fn start(data: &Arc<DataDir>, home: &Home, accounts_conf: String) -> Result<Self, Failure> {
        let (postgres, nats) = tokio::try_join!(start_postgres(data), start_nats(data, accounts_conf.clone()))?;
        let (superuser_url, owner_url, postgres) = match postgres {
            Started::Ours(server) => {
                let password = data.secret("postgres-owner").map_err(Failure::down)?;
                let owner_url = database::create_owned(&server.superuser_url("postgres"), DATABASE, &password).await?;
                (
                    server.superuser_url(DATABASE),
                    owner_url,
                    Some(Arc::new(Mutex::new(server))),
                )
            }
            Started::Theirs(url) => (url.clone(), url, None),
        };
        let (nats_url, accounts_file, nats) = match nats {
            Started::Ours(server) => (server.url(), server.accounts_file(), Some(Arc::new(Mutex::new(server)))),
            Started::Theirs(url) => {
                let configured = environment("CASELEDGER_ACCOUNTS_FILE").map(Into::into);
                let file = configured.unwrap_or_else(|| home.clients_file.with_file_name("accounts.conf"));
                write_private(&file, &accounts_conf).map_err(Failure::down)?;
                (url, file, None)
            }
        };
        let platform = Self {
            owner_url,
            superuser_url,
            nats_url,
            accounts_file,
            postgres,
            nats,
        };
        match platform.migrate().await {
            Err(failure) if platform.postgres.is_none() => Err(failure.with(
                "CASELEDGER_DATABASE_URL is set, so that this is the PostgreSQL it names: unset it for one of this data directory's own",
            )),
            migrated => migrated.map(|()| platform),
        }
    }

    async fn migrate(&self) -> Result<(), Failure> {
        let pool = database::pool(&self.owner_url, "caseledger dev", database::CONNECTIONS)?;
        let migrated = database::migrate(&pool, now()).await;
        pool.close().await;
        migrated
    }

    /// A connection as the steward.
    pub async fn steward(&self, home: &Home) -> Result<Steward, Failure> {
        let missing = || Failure::Usage("there is no password for the steward".to_owned());
        let password = home.service_passwords.get(ServiceUser::Steward).ok_or_else(missing)?;
        Steward::connect(nats_at(&self.nats_url), password)
            .await
            .map_err(|error| match error {
                BusError::Refused { .. } if self.nats.is_none() => self.foreign_nats("does not know our users"),
                BusError::Open { .. } if self.nats.is_none() => self.foreign_nats("asks nobody for a password"),
                error if self.nats.is_none() => Failure::down(error).with(
                    "CASELEDGER_NATS_URL is set, so that this is the nats-server it names: unset it for one of this data directory's own",
                ),
                error => Failure::down(error),
            })
    }

    /// What to do where somebody else's nats-server does not have our accounts in force. Twice: see [`NatsServer::reload`].
    fn foreign_nats(&self, fault: &str) -> Failure {
        Failure::Usage(format!(
            "the nats-server at {} {fault}: let its configuration include {}, reload it twice or restart it, and start \
             again",
            self.nats_url,
            self.accounts_file.display(),
        ))
    }

    /// Puts other accounts in force.
    pub async fn reload(&self, accounts_conf: String) -> Result<(), Failure> {
        let Some(nats) = self.nats.clone() else {
            write_private(&self.accounts_file, &accounts_conf).map_err(Failure::down)?;
            tracing::warn!(file = %self.accounts_file.display(), "the accounts file is written: reload nats-server twice");
            return Ok(());
        };
        blocking(move || {
            nats.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .reload(&accounts_conf)
                .map_err(Failure::down)
        })
        .await
    }

    /// Watches over our own servers until `stop`; where one of them ends, everything has to.
    pub async fn mind(&self, stop: &CancellationToken) -> Result<(), Failure> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let postgres = self.postgres.as_ref().is_none_or(|server| {
                server
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .is_running()
                    .unwrap_or(false)
            });
            let nats = self.nats.as_ref().is_none_or(|server| {
                server
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .is_running()
                    .unwrap_or(false)
            });
            if !(postgres && nats) {
                stop.cancel();
                let which = if postgres { "nats-server" } else { "PostgreSQL" };
                return Err(Failure::Down(format!("our {which} has ended by itself: see its log")));
            }
        }
    }

    /// Stops our own servers in good order.
    pub async fn stop(self) -> Result<(), Failure> {
        blocking(move || {
            let lock = |error: crate::servers::ServerError| Failure::down(error);
            let nats = self.nats.map_or(Ok(()), |server| {
                server
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .stop()
                    .map_err(lock)
            });
            let postgres = self.postgres.map_or(Ok(()), |server| {
                server
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .stop()
                    .map_err(lock)
            });
            nats.and(postgres)
        })
        .await
    }
}

enum Started<S> {
    Ours(S),
    Theirs(String),
}

async fn start_postgres(data: &Arc<DataDir>) -> Result<Started<PostgresServer>, Failure> {
    if let Some(url) = environment("CASELEDGER_DATABASE_URL") {
        return Ok(Started::Theirs(url));
    }
    let data = Arc::clone(data);
    blocking(move || {
        PostgresServer::start(data, Durability::Full)
            .map(Started::Ours)
            .map_err(Failure::down)
    })
    .await
}

async fn start_nats(data: &Arc<DataDir>, accounts_conf: String) -> Result<Started<NatsServer>, Failure> {
    if let Some(url) = environment("CASELEDGER_NATS_URL") {
        return Ok(Started::Theirs(url));
    }
    let data = Arc::clone(data);
    blocking(move || {
        NatsServer::start(data, &NatsConfig::new(accounts_conf))
            .map(Started::Ours)
            .map_err(Failure::down)
    })
    .await
}
