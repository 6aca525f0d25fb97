//! The notifier: how it is put together, and how it tells a case what became of a notice.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bus::{BusClient, Outgoing};
use event_store::{PgLedger, StoredEvent};
use futures::stream::BoxStream;
use notifier::{
    DeliveryRecord, DeliveryRecorder, Dispatcher, Environment, Follower, NoAnswer, Notifier, Registrar, Sender,
    Transport,
};
use schemas::ClientName;
use schemas::result::CommandResult;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use vault::{KeyEncryptionKey, Vault};

use crate::cli::Service;
use crate::operation::Operation;
use crate::outcome::Failure;
use crate::passwords;
use crate::registers;
use crate::settings::{MailSetting, ServiceFiles, ServiceSettings};

/// The client that the notifier is on the bus.
pub const CLIENT: &str = "notifier";

/// Runs the notifier until `stop`.
pub(super) async fn run(
    settings: &ServiceSettings,
    pool: PgPool,
    ledger: Arc<PgLedger>,
    live: BoxStream<'static, StoredEvent>,
    operation: &Operation,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let ServiceFiles::Notifier {
        key_file,
        client_passwords_file,
        mail,
        mail_from,
    } = &settings.files
    else {
        return Err(Failure::Usage("these are not the notifier's settings".to_owned()));
    };
    let client = ClientName::new(CLIENT).map_err(Failure::down)?;
    let password = passwords::of_client(client_passwords_file, &client)?;
    let bus = BusClient::connect_patiently(&settings.nats, &client, &password)
        .await
        .map_err(Failure::down)?;
    operation.speaks_as(Service::Notifier, bus.clone());
    let catalogue = Arc::new(registers::catalogue(settings.catalogue_dir.as_deref())?);
    let key = Arc::new(KeyEncryptionKey::load(key_file).map_err(Failure::usage)?);
    let sender = Sender::new(mail_from, None).map_err(Failure::usage)?;
    let transport = match mail {
        MailSetting::Folder(folder) => Transport::folder(folder),
        MailSetting::Smtp { url, ca_file: None } => Transport::smtp(url).map_err(Failure::usage)?,
        MailSetting::Smtp {
            url,
            ca_file: Some(file),
        } => {
            let unreadable = |error| Failure::Usage(format!("{} can't be read: {error}", file.display()));
            let authorities = std::fs::read(file).map_err(unreadable)?;
            Transport::smtp_trusting(url, &authorities).map_err(Failure::usage)?
        }
    };
    let notifier = Notifier {
        pool: pool.clone(),
        follower: Follower {
            catalogue: Arc::clone(&catalogue),
            client: client.clone(),
            domain: sender.domain().to_owned(),
        },
        dispatcher: Dispatcher {
            pool: pool.clone(),
            vault: Arc::new(Vault::new(pool.clone(), key, vault::Settings::default(), Instant::now)),
            catalogue,
            sender,
            transport,
        },
        registrar: Registrar {
            pool,
            recorder: Arc::new(OverTheBus(bus)),
            client,
        },
        environment: Environment {
            now: Box::new(OffsetDateTime::now_utc),
            jitter: Box::new(rand::random::<f64>),
        },
    };
    let (told, stopped) = watch::channel(false);
    let telling = async {
        stop.cancelled().await;
        // Where nobody listens any more it has ended already.
        let _ = told.send(true);
    };
    let running = notifier.run(ledger, live, stopped);
    tokio::select! {
        ended = running => ended.map_err(Failure::down),
        never = async { telling.await; std::future::pending().await } => never,
    }
}

/// Records deliveries by calling the command-service, as any client would.
struct OverTheBus(BusClient);

#[async_trait]
impl DeliveryRecorder for OverTheBus {
    async fn record(&self, record: &DeliveryRecord) -> Result<CommandResult, NoAnswer> {
        let command = Outgoing {
            id: record.command_id,
            name: "RecordNotification".to_owned(),
            subject: Some(record.case_id.into()),
            time: OffsetDateTime::now_utc().into(),
            correlation_id: Some(record.correlation_id.clone()),
            causation_id: Some(record.caused_by.to_string()),
            data: record.data.clone(),
        };
        // Not marked as repeated, the second time either: what is rejected for a fault of the settings is accepted once they are mended.
        self.0.call(&command).await.map_err(|error| NoAnswer {
            reason: error.to_string(),
        })
    }
}
